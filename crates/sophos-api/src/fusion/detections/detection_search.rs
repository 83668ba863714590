//! Searches of detections: `detectionSearch`, `detectionPoll`.

use crate::{
    Error, Paged, Raw,
    fusion::{
        detections::{
            MAX_DETECTIONS,
            detection_fields::Detection,
            detection_page::{DetectionPage, detection_page_members},
        },
        graphql_macro::{documents, graphql},
    },
    operation::checks::check_range,
};

graphql! {
    /// Searches detections.
    ///
    /// As a listing it reads page after page by offset. For the parts of a larger result
    /// it repeats the `search_id`.
    query SearchDetections = detectionSearch(in: SearchRequestInput) in "snake_case" -> DetectionPage {
        /// The query, such as `from alert severity >= 0.6 EARLIEST=-1d`.
        cql_query!: String,
        /// The number of detections before the page.
        offset: u32 = 0,
        /// The number of detections per page, up to [`MAX_DETECTIONS`](super::MAX_DETECTIONS).
        limit: u32 = DEFAULT_LIMIT,
        /// The id of an earlier result: its next part. The service ignores the offset and
        /// the limit then.
        search_id: String,
        /// The labels of services: only detections of tenants with one of them.
        tenant_service_filters: [String],
        /// The language of descriptions, such as `en` or `de`.
        locale: String,
    } [detection_page_members!()] {
        fn check(&self) -> Result<(), Error> {
            check_range("limit", Some(self.limit), 1..=MAX_DETECTIONS)
        }

        fn check_response(page: &DetectionPage) -> Result<(), Error> {
            page.check_status()
        }
    }
}

/// The default number of detections per page.
const DEFAULT_LIMIT: u32 = 500;

impl Paged for SearchDetections {
    type Item = Detection;

    fn next_page(&self, page: &DetectionPage) -> Result<Option<Self>, Error> {
        if let Some(id) = page.next_part() {
            return Ok(Some(Self { search_id: Some(id.to_owned()), ..self.clone() }));
        }
        let count = page.alerts.list.len() as u64;
        let end = u64::from(self.offset) + count;
        let more = match page.alerts.total_results {
            Some(total) => end < total,
            None => count >= u64::from(self.limit),
        };
        // The parts of a result are complete, whatever its offset.
        if !more || count == 0 || self.search_id.is_some() {
            return Ok(None);
        }
        let offset = u32::try_from(end).map_err(|_| Error::malformed("an offset of more than 32 bits"))?;
        Ok(Some(Self { offset, ..self.clone() }))
    }

    fn items(page: DetectionPage) -> Vec<Raw<Detection>> {
        page.alerts.list
    }
}

graphql! {
    /// Reads the next part of the result of a search. The service advances by itself.
    query PollDetections = detectionPoll(in: PollRequestInput) in "snake_case" -> DetectionPage {
        /// The id of the result.
        search_id!: String,
    } [detection_page_members!()] {
        fn check_response(page: &DetectionPage) -> Result<(), Error> {
            page.check_status()
        }
    }
}

impl Paged for PollDetections {
    type Item = Detection;

    fn next_page(&self, page: &DetectionPage) -> Result<Option<Self>, Error> {
        Ok(page.next_part().map(Self::new))
    }

    fn items(page: DetectionPage) -> Vec<Raw<Detection>> {
        page.alerts.list
    }
}

documents! { SearchDetections PollDetections }
