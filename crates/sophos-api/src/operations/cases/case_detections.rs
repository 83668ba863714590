//! Detections of a case: `/cases/v1/cases/{caseId}/detections`.

use crate::{
    NumberedPage,
    operation::macros::{listed, operation},
    operations::detections::queries::Detection,
};

operation! {
    /// Lists the detections of a case.
    pub struct ListCaseDetections = GET "/cases/v1/cases/:caseId/detections"
        (tenant replaced_by "fusion::cases::GetCaseEvidence") -> NumberedPage<Detection> {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

operation! {
    /// Returns a detection of a case.
    pub struct GetCaseDetection = GET "/cases/v1/cases/:caseId/detections/:detectionId"
        (tenant replaced_by "fusion::detections::GetDetections") -> Detection {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
        /// The detection's id.
        detection_id!: String,
    }
}

listed! {
    ListCaseDetections
    GetCaseDetection
}
