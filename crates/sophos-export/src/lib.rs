//! sophos-export
