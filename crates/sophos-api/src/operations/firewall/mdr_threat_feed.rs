//! MDR threat feed of a firewall, and its transactions: `/firewall/v1/firewall-config`.

use serde_json::Value;

use crate::{
    Job, JobProgress, Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Requests the settings of the threat feed from a firewall.
    pub struct GetMdrThreatFeed = GET "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed" (tenant)
        -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
    }
}

operation! {
    /// Requests that a firewall deletes all indicators.
    pub struct DeleteAllIndicators = DELETE "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators" (tenant)
        -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
    }
}

operation! {
    /// Requests that a firewall adds indicators, at most 100.
    ///
    /// The response of the finished transaction lists the invalid ones.
    pub struct CreateIndicators = POST "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators" (tenant)
        -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
        /// The indicators, 1 to 100.
        indicators!: [Indicator],
    } where {
        indicators: 1..=100,
    }
}

operation! {
    /// Requests that a firewall deletes indicators, at most 100.
    pub struct DeleteIndicators = POST "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators/delete" (tenant)
        -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
        /// The indicators, 1 to 100.
        indicators!: [Indicator],
    } where {
        indicators: 1..=100,
    }
}

operation! {
    /// Requests which of some values a firewall has as indicators.
    pub struct SearchIndicators = POST "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators/search" (tenant)
        -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
        /// The values to search for.
        indicator_values!: [String],
    }
}

operation! {
    /// Requests a change of the threat feed's settings.
    pub struct UpdateMdrThreatFeedSettings = PATCH "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/settings" (tenant)
        -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
        /// Whether the threat feed is turned on.
        enabled: bool,
        /// The action on traffic to an indicator: `logOnly` or `logAndDrop`.
        action: String,
    }
}

operation! {
    /// Returns a transaction, with the firewall's response once it is finished.
    pub struct GetFirewallTransaction = GET "/firewall/v1/firewall-config/firewalls/:firewallId/transactions/:transactionId" (tenant)
        -> FirewallTransaction {
        /// The firewall's id.
        firewall_id!: String,
        /// The transaction's id.
        transaction_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A request that the firewall processes later. [`GetFirewallTransaction`] returns its outcome.
    pub struct StartedTransaction {
        /// The transaction's id.
        transaction_id: String,
    }
}

model! {
    /// An indicator of compromise.
    pub struct Indicator with setters {
        /// The address, domain or URL.
        value: String,
        /// The type: `ipv4-addr`, `domain-name` or `url`.
        r#type: String,
    }
}

model! {
    /// A request to a firewall.
    pub struct FirewallTransaction {
        /// The transaction's id.
        id as id: String,
        /// The status: `pending`, `started` or `finished`.
        status: String,
        /// The result: `notAvailable`, `success`, `error` or `partialSuccess`.
        result: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of completion.
        finished_at: Timestamp,
        /// The time when the transaction is deleted.
        expiry_at: Timestamp,
        /// The response of the firewall.
        response: Value,
        /// The request.
        request: TransactionRequest,
    }
}

model! {
    /// The request that started a transaction.
    pub struct TransactionRequest {
        /// The HTTP method.
        method: String,
        /// The path.
        path: String,
        /// The query parameters.
        query: Vec<Value>,
    }
}

impl FirewallTransaction {
    pub(crate) fn progress(&self) -> JobProgress {
        JobProgress::from_words(self.status.as_deref(), self.result.as_deref()).until(self.expiry_at.as_ref())
    }
}

impl Job for GetFirewallTransaction {
    fn progress(transaction: &FirewallTransaction) -> JobProgress {
        transaction.progress()
    }
}

listed! {
    GetMdrThreatFeed
    DeleteAllIndicators
    CreateIndicators
    DeleteIndicators
    SearchIndicators
    UpdateMdrThreatFeedSettings
    GetFirewallTransaction
}
