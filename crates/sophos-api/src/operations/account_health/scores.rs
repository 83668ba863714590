//! Scores of a tenant's health over time and of its region: `/account-health-check/v1/scores`.

use serde_json::Value;

use crate::{
    models::{Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the health scores of a tenant over time.
    pub struct GetHistoricalScores = GET "/account-health-check/v1/scores/historical" (tenant)
        -> HistoricalScores {
        /// The first day, inclusive.
        start_date: String,
        /// The last day, inclusive.
        end_date: String,
    }
}

operation! {
    /// Returns the health scores of other accounts in the region.
    pub struct GetRegionalScores = GET "/account-health-check/v1/scores/regional" (tenant) -> RegionalScores {}
}

model! {
    /// The health scores of a tenant over time.
    pub struct HistoricalScores {
        /// The tenant.
        tenant: Reference,
        /// The scores. No published example shows their fields.
        datapoints: Vec<Value>,
    }
}

model! {
    /// The health scores of a region.
    pub struct RegionalScores {
        /// The bands of scores. No published example shows their fields.
        bands: Vec<Value>,
    }
}

listed! {
    GetHistoricalScores
    GetRegionalScores
}
