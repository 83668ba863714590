//! Saved queries of the Data Lake: `/xdr-query/v1/queries`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the saved queries.
    pub struct ListQueries = GET "/xdr-query/v1/queries" (tenant) -> NumberedPage<Query> {
        /// The id of a category; only its queries match.
        category_id: String,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Returns a saved query.
    pub struct GetQuery = GET "/xdr-query/v1/queries/:queryId" (tenant) -> Query {
        /// The query's id.
        query_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A saved query.
    pub struct Query {
        /// The query's id.
        id!: String,
        /// The name.
        name: String,
        /// The origin.
        r#type: QueryType,
        /// The SQL text, with variables such as `$$name$$`.
        template: String,
        /// The variables.
        variables: Vec<QueryVariable>,
        /// The categories.
        categories: Vec<Reference>,
        /// The code.
        code: String,
        /// The description.
        description: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
    }
}

model! {
    /// A variable of a query.
    pub struct QueryVariable with setters {
        /// The name.
        name: String,
        /// The type of the value.
        data_type: DataType,
        /// The value.
        value: String,
        /// The kind of value.
        pivot_type: PivotType,
    }
}

open_enum! {
    /// The origin of a query.
    pub enum QueryType {
        /// Defined by Sophos.
        Canned = "canned",
        /// Defined by the tenant.
        Custom = "custom",
    }
}

open_enum! {
    /// The type of a variable's value.
    pub enum DataType {
        /// A Boolean.
        Boolean = "boolean",
        /// A date and time.
        DateTime = "dateTime",
        /// A floating-point number.
        Double = "double",
        /// An integer.
        Integer = "integer",
        /// A text.
        Text = "text",
    }
}

open_enum! {
    /// The kind of value that leads from a result to another query.
    pub enum PivotType {
        /// An endpoint's id.
        DeviceId = "deviceId",
        /// A hostname.
        DeviceName = "deviceName",
        /// A path.
        FilePath = "filePath",
        /// An IP address.
        IpAddress = "ipAddress",
        /// A key of the Windows registry.
        RegistryKey = "registryKey",
        /// A process id of Sophos.
        SophosPid = "sophosPid",
        /// A URL.
        Url = "url",
        /// A username.
        Username = "username",
    }
}

listed! {
    ListQueries
    GetQuery
}
