//! Sophos Fusion: the GraphQL operations for tenants that have moved to the new platform.
//!
//! A tenant moves at one point in time. From then on, the operations of `cases/v1` and
//! `detections/v1` return its objects from before the move, so the client
//! [refuses](crate::ClientBuilder::refuse_moved_tenants) to send them. The operations of
//! this module replace them. [`TenantClient::platform`](crate::TenantClient::platform)
//! returns the platform of a tenant.
//!
//! A [`GraphqlOperation`] is an [`Operation`](crate::Operation), so a client sends it like
//! any other: with the same token, rate limit, deadline and retries. All go to one host,
//! [`Hosts::fusion`](crate::Hosts::fusion). A [`Client`](crate::Client) sends one for the
//! account of its credential, and a [`TenantClient`](crate::TenantClient) for its tenant.
//!
//! ```
//! use sophos_api::{ApiClient, Error, TenantClient, Transport, fusion::cases::ListCases};
//!
//! async fn print_open_cases<T: Transport>(tenant: TenantClient<T>) -> Result<(), Error> {
//!     let mut pages = tenant.pages(ListCases::new().query("closedAt is null"));
//!     while let Some(page) = pages.next().await {
//!         for case in page?.cases {
//!             println!("{}", case.json());
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Errors
//!
//! The service reports most failures with status 200. The client turns them into an
//! [`Error`](crate::Error) with the service's message, [code](crate::Error::code) and
//! [path](crate::Error::path). It returns data beside errors only from
//! [`TenantClient::send_partial`](crate::TenantClient::send_partial). It retries queries as
//! it retries idempotent operations, and no mutation, with one exception: `createCase` and
//! `addEvidenceToCase` often fail at `partnerPreferences` without effect, and then succeed.

mod graphql_macro;
mod graphql_operation;
mod graphql_response;

pub mod cases;
pub mod detections;

pub use graphql_operation::{GraphqlKind, GraphqlOperation};
pub use graphql_response::PartialData;
pub(crate) use graphql_response::parse_partial;

#[cfg(test)]
mod tests {
    use super::*;

    /// All documents, one a line, for a check against the published schemas.
    #[test]
    fn documents_are_single_lines_with_one_field() {
        let documents = [cases::DOCUMENTS, detections::DOCUMENTS].concat().concat();
        assert_eq!(documents.len(), 25);
        for document in documents {
            println!("DOCUMENT {document}");
            assert!(!document.contains("  ") && !document.contains('\n'), "{document}");
            let depth = |end: usize| {
                let count = |bracket| document[..end].matches(bracket).count();
                count('{') as i64 - count('}') as i64
            };
            assert_eq!(depth(document.len()), 0, "{document}");
            let fields = document.match_indices('}').filter(|(end, _)| depth(*end) == 2);
            assert_eq!(fields.count(), 1, "{document}");
        }
    }
}
