//! Comments on cases: `caseComments`, `addCaseComment`, `updateCaseComment`,
//! `deleteCaseComment`.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Paged, Raw, Timestamp, WithRaw,
    fusion::{
        cases::MAX_PAGE_SIZE,
        graphql_macro::{documents, graphql},
    },
    models::{
        lenient::{items, lenient},
        macros::{model, open_enum},
    },
    operation::checks::{check_positive, check_range},
};

macro_rules! comment_members {
    () => {
        "id caseId tenantId authorId comment createdAt updatedAt isInternal mentionsIds readByIds"
    };
}

graphql! {
    /// Lists the comments on a case.
    query ListCaseComments = caseComments(arguments: CaseCommentsArguments) in "camelCase"
        -> CaseCommentPage {
        /// The case's id.
        case_id!: String,
        /// The order by the time of creation.
        order_by: SortOrder,
        /// The visibility of the comments.
        visibility: CommentVisibility,
        /// The page's number, from 1.
        page: u32 = 1,
        /// The number of comments per page, up to [`MAX_PAGE_SIZE`](super::MAX_PAGE_SIZE).
        per_page: u32 = MAX_PAGE_SIZE,
    } ["totalCount totalUnreadCount comments { ", comment_members!(), " }"] {
        fn check(&self) -> Result<(), Error> {
            check_positive("page", Some(self.page))?;
            check_range("perPage", Some(self.per_page), 1..=MAX_PAGE_SIZE)
        }
    }
}

impl Paged for ListCaseComments {
    type Item = CaseComment;

    fn next_page(&self, page: &CaseCommentPage) -> Result<Option<Self>, Error> {
        // Without a total, a page that is not full is the last.
        let shown = u64::from(self.page - 1) * u64::from(self.per_page) + page.comments.len() as u64;
        let more = match page.total_count {
            Some(total) => shown < total && !page.comments.is_empty(),
            None => page.comments.len() as u64 >= u64::from(self.per_page),
        };
        Ok(more.then(|| Self { page: self.page + 1, ..self.clone() }))
    }

    fn items(page: CaseCommentPage) -> Vec<Raw<CaseComment>> {
        page.comments
    }
}

graphql! {
    /// Adds a comment to a case.
    mutation AddCaseComment = addCaseComment(input: AddCaseComment) in "camelCase" -> WithRaw<CaseComment> {
        /// The case's id.
        case_id!: String,
        /// The text. A mention, such as `@customer`, notifies the mentioned users.
        comment!: String,
        /// Whether only users of the partner see it. Only they may set it.
        is_internal: bool,
    } [comment_members!()]
}

graphql! {
    /// Changes a comment. Only its author may change the text.
    mutation UpdateCaseComment = updateCaseComment(input: UpdateCaseCommentInput) in "camelCase"
        -> WithRaw<CaseComment> {
        /// The comment's id.
        comment_id!: String,
        /// The text.
        comment: String,
        /// Whether the comment is marked as read by the caller.
        mark_as_read: bool,
    } [comment_members!()]
}

graphql! {
    /// Deletes a comment for good.
    mutation DeleteCaseComment = deleteCaseComment(input: DeleteCaseCommentInput) in "camelCase"
        -> WithRaw<CaseComment> {
        /// The comment's id.
        comment_id!: String,
    } [comment_members!()]
}

/// A page of comments.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CaseCommentPage {
    /// The comments, not parsed yet.
    #[serde(deserialize_with = "items")]
    pub comments: Vec<Raw<CaseComment>>,
    /// The number of comments in all pages.
    #[serde(default, deserialize_with = "lenient")]
    pub total_count: Option<u64>,
    /// The number of unread comments on the case.
    #[serde(default, deserialize_with = "lenient")]
    pub total_unread_count: Option<u64>,
}

model! {
    /// A comment on a case.
    pub struct CaseComment {
        /// The comment's id.
        id!: String,
        /// The case's id.
        case_id as id: String,
        /// The id of the tenant.
        tenant_id as id: String,
        /// The id of the author.
        author_id as id: String,
        /// The text.
        comment: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// Whether only users of the partner see it.
        is_internal: bool,
        /// The ids of the mentioned users and groups.
        mentions_ids: Vec<String>,
        /// The ids of the users that marked it as read.
        read_by_ids: Vec<String>,
    }
}

open_enum! {
    /// The order of a listing.
    pub enum SortOrder {
        /// The lowest first.
        Ascending = "ASCENDING",
        /// The highest first.
        Descending = "DESCENDING",
    }
}

open_enum! {
    /// The visibility of comments.
    pub enum CommentVisibility {
        /// Internal comments.
        Internal = "INTERNAL",
        /// Comments that are not internal.
        NotInternal = "NOT_INTERNAL",
        /// All comments.
        All = "ALL",
    }
}

documents! { ListCaseComments AddCaseComment UpdateCaseComment DeleteCaseComment }
