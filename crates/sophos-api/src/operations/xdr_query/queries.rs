//! Queries: `/xdr-query/v1/queries` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Actor, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A query.
    pub struct Query {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: QueryType,
        /// The template.
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
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

model! {
    /// A query variable.
    pub struct QueryVariable {
        /// The name.
        name: String,
        /// The data type.
        data_type: QueryVariableDataType,
        /// The value.
        value: String,
        /// The pivot type.
        pivot_type: QueryVariablePivotType,
    }
}

open_enum! {
    /// The query type.
    pub enum QueryType {
        /// `canned`.
        Canned = "canned",
        /// `custom`.
        Custom = "custom",
    }
}

open_enum! {
    /// The query variable data type.
    pub enum QueryVariableDataType {
        /// `boolean`.
        Boolean = "boolean",
        /// `dateTime`.
        DateTime = "dateTime",
        /// `double`.
        Double = "double",
        /// `integer`.
        Integer = "integer",
        /// `text`.
        Text = "text",
    }
}

open_enum! {
    /// The query variable pivot type.
    pub enum QueryVariablePivotType {
        /// `deviceId`.
        DeviceId = "deviceId",
        /// `deviceName`.
        DeviceName = "deviceName",
        /// `filePath`.
        FilePath = "filePath",
        /// `ipAddress`.
        IpAddress = "ipAddress",
        /// `registryKey`.
        RegistryKey = "registryKey",
        /// `sophosPid`.
        SophosPid = "sophosPid",
        /// `url`.
        Url = "url",
        /// `username`.
        Username = "username",
    }
}

operation! {
    /// Lists queries by a page size related to the tenant filtered by the parameters.
    pub struct ListQueries = GET "/xdr-query/v1/queries" (tenant)
        -> NumberedPage<Query> {
        /// The category id.
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
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Gets the details of a query.
    pub struct GetQuery = GET "/xdr-query/v1/queries/:queryId" (tenant)
        -> Query {
        /// The query id.
        query_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    ListQueries
    GetQuery
}
