//! Firewall Config: `/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed` and the operations beside it.

use serde_json::Value;

use crate::{Timestamp, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A mdr threat feed.
    pub struct MdrThreatFeed {
        /// The transaction id.
        transaction_id: String,
    }
}

model! {
    /// An all indicator.
    pub struct AllIndicator {
        /// The transaction id.
        transaction_id: String,
    }
}

model! {
    /// An indicator.
    pub struct Indicator {
        /// The transaction id.
        transaction_id: String,
    }
}

model! {
    /// An indicator indicator.
    pub struct IndicatorIndicator {
        /// The value.
        value: String,
        /// The type.
        r#type: String,
    }
}

model! {
    /// A mdr threat feed setting.
    pub struct MdrThreatFeedSetting {
        /// The transaction id.
        transaction_id: String,
    }
}

model! {
    /// A firewall transaction.
    pub struct FirewallTransaction {
        /// The id.
        id as id: String,
        /// The status.
        status: String,
        /// The result.
        result: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time: finished.
        finished_at: Timestamp,
        /// The time: expiry.
        expiry_at: Timestamp,
        /// The response.
        response: Value,
        /// The request.
        request: FirewallTransactionRequest,
    }
}

model! {
    /// A firewall transaction request.
    pub struct FirewallTransactionRequest {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The query.
        query: Vec<Value>,
    }
}

operation! {
    /// Gets mdr-threat-feed for given firewall.
    pub struct GetMdrThreatFeed = GET "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed" (tenant)
        -> MdrThreatFeed {
        /// The firewall id.
        firewall_id!: String,
    }
}

operation! {
    /// Deletes all IoCs of mdr-threat-feed for given firewall.
    pub struct DeleteAllIndicators = DELETE "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators" (tenant)
        -> AllIndicator {
        /// The firewall id.
        firewall_id!: String,
    }
}

operation! {
    /// Creates indicators of mdr-threat-feed for given firewall.
    pub struct CreateIndicators = POST "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators" (tenant)
        -> Indicator {
        /// The firewall id.
        firewall_id!: String,
        /// The indicators.
        indicators: [IndicatorIndicator],
    }
}

operation! {
    /// Deletes given indicators of mdr-threat-feed for given firewall.
    pub struct DeleteIndicators = POST "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators/delete" (tenant)
        -> Indicator {
        /// The firewall id.
        firewall_id!: String,
        /// The indicators.
        indicators: [IndicatorIndicator],
    }
}

operation! {
    /// Searches indicators exist of mdr-threat-feed for given firewall.
    pub struct SearchIndicators = POST "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators/search" (tenant)
        -> Indicator {
        /// The firewall id.
        firewall_id!: String,
        /// The indicator values.
        indicator_values: [String],
    }
}

operation! {
    /// Updates mdr-threat-feed for given firewall.
    pub struct UpdateMdrThreatFeedSettings = PATCH "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/settings" (tenant)
        -> MdrThreatFeedSetting {
        /// The firewall id.
        firewall_id!: String,
        /// Whether it is enabled.
        enabled: bool,
        /// The action.
        action: String,
        /// The time: last updated.
        last_updated_at: Timestamp,
    }
}

operation! {
    /// Gets transaction by Id for given firewall.
    pub struct GetFirewallTransaction = GET "/firewall/v1/firewall-config/firewalls/:firewallId/transactions/:transactionId" (tenant)
        -> FirewallTransaction {
        /// The firewall id.
        firewall_id!: String,
        /// The transaction id.
        transaction_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    GetMdrThreatFeed
    DeleteAllIndicators
    CreateIndicators
    DeleteIndicators
    SearchIndicators
    UpdateMdrThreatFeedSettings
    GetFirewallTransaction
}
