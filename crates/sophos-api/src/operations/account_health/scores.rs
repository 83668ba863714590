//! Account Health Scores: `/account-health-check/v1/scores/historical` and the operations beside it.

use serde_json::Value;

use crate::{models::{Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A historical score.
    pub struct HistoricalScore {
        /// The tenant.
        tenant: Reference,
        /// The datapoints.
        datapoints: Vec<Value>,
    }
}

model! {
    /// A regional score.
    pub struct RegionalScore {
        /// The bands.
        bands: Vec<Value>,
    }
}

operation! {
    /// Gets historical health scores.
    pub struct GetHistoricalScores = GET "/account-health-check/v1/scores/historical" (tenant)
        -> HistoricalScore {
        /// The start date.
        start_date: String,
        /// The end date.
        end_date: String,
    }
}

operation! {
    /// Gets health score for comparison to other organizations in your region.
    pub struct GetRegionalScores = GET "/account-health-check/v1/scores/regional" (tenant)
        -> RegionalScore {
    }
}

tested! {
    GetHistoricalScores
    GetRegionalScores
}
