//! The record in a row: the service's bytes.

mod support;

use sophos_export::Dataset;
use support::{ScriptedResponse, TestEnv};

#[tokio::test]
async fn record_is_exported_byte_for_byte() {
    let records = [
        r#"{"id":"a","name":"x","name":"y","NAME":"z"}"#,
        r#"{"id":"b","Source_Info":{"ip":"192.0.2.1","IP":"192.0.2.2"},"a":null,"n":null}"#,
        r#"{"id":"c","n":123456789012345678901234567890,"f":1e400,"g":1.50,"h":-0}"#,
        "{\"id\":\"d\",\r\n  \"a\": [ 1 ,\t2 ]}",
        r#"{"id":"e","s":"C:\\Users\\a\/b \ud800 \u0000 \u2028"}"#,
        "{\"id\":\"f\",\"s\":\"\u{7f} \u{85} \u{2028} \u{feff} \u{1f600}\"}",
        "null",
        "\"text\"",
        "[1,{}]",
    ];
    let env = TestEnv::new();
    let body = format!("{{\"items\":[{}],\"has_more\":false,\"next_cursor\":\"end\"}}", records.join(","));
    env.run_events([ScriptedResponse::bytes(body)]).await;
    let rows = env.rows(Dataset::Events).await;
    let read: Vec<_> = rows.iter().map(|row| row["record"].as_str().expect("text")).collect();
    assert_eq!(read, records);
}
