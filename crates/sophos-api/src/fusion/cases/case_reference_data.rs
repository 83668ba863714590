//! The reference data of a tenant: `caseTypes`, `casePrimaryStatuses`,
//! `caseSecondaryStatuses`, `casePrimaryVerdicts`, `caseSecondaryVerdicts`, `caseSources`.

use crate::{
    fusion::{
        cases::case_fields::CaseManager,
        graphql_macro::{documents, graphql},
    },
    models::macros::model,
};

graphql! {
    /// Lists the types of cases. A tenant that has not moved to Fusion has none.
    query ListCaseTypes = caseTypes(arguments: CaseTypesArguments) in "camelCase" -> CaseTypes {
        /// The id of a type: only the types to which it may change.
        transition_from_id: String,
        /// The id of a case: only the types to which it may change.
        case_id: String,
    } [
        "types { id name title description managedBy supportedPrimaryStatusIds \
         supportedSecondaryStatusIds supportedPrimaryVerdictIds }"
    ]
}

graphql! {
    /// Lists the primary statuses of cases.
    query ListCasePrimaryStatuses = casePrimaryStatuses(arguments: CasePrimaryStatusesArguments)
        in "camelCase" -> CasePrimaryStatuses {
        /// The id of a type: only its statuses.
        type_id: String,
        /// The id of a status: only the statuses to which it may change.
        transition_from_id: String,
        /// The id of a case: only the statuses that the caller may set.
        case_id: String,
    } ["primaryStatuses { id name title description isClosed isCaseVisibleToCustomers }"]
}

graphql! {
    /// Lists the secondary statuses of cases.
    query ListCaseSecondaryStatuses = caseSecondaryStatuses(arguments: CaseSecondaryStatusesArguments)
        in "camelCase" -> CaseSecondaryStatuses {
        /// The id of a type: only its statuses.
        type_id: String,
        /// The id of a primary status: only its statuses.
        primary_status_id: String,
        /// The id of a case: only the statuses of its licences.
        case_id: String,
        /// Whether statuses are included that only automation sets.
        include_automation_statuses: bool,
    } ["secondaryStatuses { id name title description allowedSubstatusReasons automationOnly }"]
}

graphql! {
    /// Lists the primary verdicts on cases.
    query ListCasePrimaryVerdicts = casePrimaryVerdicts(arguments: CasePrimaryVerdictsArguments)
        in "camelCase" -> CasePrimaryVerdicts {
        /// The id of a type: only its verdicts.
        type_id: String,
        /// The id of a primary status: only its verdicts.
        primary_status_id: String,
        /// The id of a case: only the verdicts of its licences.
        case_id: String,
        /// Whether verdicts are included that only automation sets.
        include_automation_verdicts: bool,
    } ["primaryVerdicts { id name title description }"]
}

graphql! {
    /// Lists the secondary verdicts on cases.
    query ListCaseSecondaryVerdicts = caseSecondaryVerdicts(arguments: CaseSecondaryVerdictsArguments)
        in "camelCase" -> CaseSecondaryVerdicts {
        /// The id of a primary verdict: only its verdicts.
        primary_verdict_id: String,
        /// The id of a case: only the verdicts of its licences.
        case_id: String,
    } ["secondaryVerdicts { id name title description }"]
}

graphql! {
    /// Lists the sources of cases.
    query ListCaseSources = caseSources(arguments: CaseSourcesArguments) in "camelCase" -> CaseSources {
        /// The id of a source: only the sources to which it may change.
        transition_from_id: String,
    } ["sources { id name title description }"]
}

model! {
    /// The types of cases.
    pub struct CaseTypes {
        /// The types.
        types: Vec<CaseType>,
    }
}

model! {
    /// A type of cases.
    pub struct CaseType {
        /// The type's id.
        id!: String,
        /// The name.
        name: String,
        /// The title.
        title: String,
        /// The description.
        description: String,
        /// The manager of all cases of this type.
        managed_by: CaseManager,
        /// The ids of its primary statuses.
        supported_primary_status_ids: Vec<String>,
        /// The ids of its secondary statuses.
        supported_secondary_status_ids: Vec<String>,
        /// The ids of its primary verdicts.
        supported_primary_verdict_ids: Vec<String>,
    }
}

model! {
    /// The primary statuses of cases.
    pub struct CasePrimaryStatuses {
        /// The statuses.
        primary_statuses: Vec<CasePrimaryStatus>,
    }
}

model! {
    /// A primary status of cases.
    pub struct CasePrimaryStatus {
        /// The status's id.
        id!: String,
        /// The name.
        name: String,
        /// The title.
        title: String,
        /// The description.
        description: String,
        /// Whether a case with this status is closed.
        is_closed: bool,
        /// Whether customers see a case with this status.
        is_case_visible_to_customers: bool,
    }
}

model! {
    /// The secondary statuses of cases.
    pub struct CaseSecondaryStatuses {
        /// The statuses.
        secondary_statuses: Vec<CaseSecondaryStatus>,
    }
}

model! {
    /// A secondary status of cases.
    pub struct CaseSecondaryStatus {
        /// The status's id.
        id!: String,
        /// The name.
        name: String,
        /// The title.
        title: String,
        /// The description.
        description: String,
        /// The reasons that a case with this status may have.
        allowed_substatus_reasons: Vec<String>,
        /// Whether only automation sets it.
        automation_only: bool,
    }
}

model! {
    /// The primary verdicts on cases.
    pub struct CasePrimaryVerdicts {
        /// The verdicts.
        primary_verdicts: Vec<CaseLabel>,
    }
}

model! {
    /// The secondary verdicts on cases.
    pub struct CaseSecondaryVerdicts {
        /// The verdicts.
        secondary_verdicts: Vec<CaseLabel>,
    }
}

model! {
    /// The sources of cases.
    pub struct CaseSources {
        /// The sources.
        sources: Vec<CaseLabel>,
    }
}

model! {
    /// A verdict on cases, or a source of them.
    pub struct CaseLabel {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The title.
        title: String,
        /// The description.
        description: String,
    }
}

documents! {
    ListCaseTypes ListCasePrimaryStatuses ListCaseSecondaryStatuses ListCasePrimaryVerdicts
    ListCaseSecondaryVerdicts ListCaseSources
}
