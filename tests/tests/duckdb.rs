//! Tests that DuckDB reads an export with the exact bytes of each record.

use std::{env, path::Path, process::Command};

use end_to_end::{TestEnv, package_dir, raw_http};
use local_lambda::InvocationOutcome;
use serde_json::{Value, json};
use sophos_export::Format;
use sophos_simulator::{Config, CredentialConfig, CredentialKind, Owner, Role, TenantGroup};
use tokio::net::{TcpListener, TcpStream};

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

/// Records that JSON readers change, in the order of their ids.
const RECORDS: [(&str, &str); 9] = [
    ("big-numbers", r#"{"id":"big-numbers","n":123456789012345678901234567890,"f":1e400,"g":1.50,"h":-0}"#),
    ("duplicate-keys", r#"{"id":"duplicate-keys","name":"x","name":"y","name":null}"#),
    ("escapes", r#"{"id":"escapes","s":"C:\\Users\\a\/b \u0041 \u0000 \u2028"}"#),
    ("mixed-case", r#"{"id":"mixed-case","Name":"upper","name":"lower","Source_Info":{"ip":"a","IP":"b"}}"#),
    ("nested", r#"{"id":"nested","a":[{},[],[null,{"b":{"c":[1,2.0,"3"]}}]],"record":"{\"id\":1}"}"#),
    ("nulls", r#"{"id":"nulls","a":null,"b":[null],"when":null}"#),
    ("surrogates", r#"{"id":"surrogates","s":"\ud800","t":"\udc00\ud800","u":"\ud83d\ude00"}"#),
    ("unicode", "{\"id\":\"unicode\",\"s\":\"\u{7f} \u{85} \u{2028} \u{feff} \u{1f600} \u{e9} e\u{301}\"}"),
    ("white-space", "{\"id\":\"white-space\",\r\n  \"a\": [ 1 ,\t2 ]\n}"),
];

/// Serves these records as the events of the only tenant.
async fn serve(listener: TcpListener, address: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let address = address.clone();
        // The function may close a connection at any time.
        tokio::spawn(async move { drop(response(stream, &address).await) });
    }
}

async fn response(mut stream: TcpStream, address: &str) -> std::io::Result<()> {
    let Some(path) = raw_http::request_path(&mut stream).await? else { return Ok(()) };
    let body = match path.as_str() {
        "/api/v2/oauth2/token" => {
            json!({ "access_token": "opaque-access-token", "expires_in": 3600 }).to_string()
        }
        "/whoami/v1" => json!({
            "id": TENANT, "idType": "tenant", "apiHosts": { "global": address, "dataRegion": address },
        })
        .to_string(),
        "/siem/v1/events" => {
            let items: Vec<_> = RECORDS.iter().map(|(_, record)| *record).collect();
            format!(r#"{{"items":[{}],"has_more":false,"next_cursor":"end"}}"#, items.join(","))
        }
        _ => json!({ "items": [], "has_more": false, "next_cursor": "end" }).to_string(),
    };
    raw_http::respond(&mut stream, "200 OK\r\n", body.as_bytes()).await
}

fn read_with_duckdb(folder: &Path, format: Format) -> Value {
    let python = env::var_os("READERS_PYTHON").expect("READERS_PYTHON is set");
    let objects = folder.join(format!("events/**/*.{format}"));
    let output = Command::new(python)
        .arg(package_dir().join("readers/duckdb_rows.py"))
        .arg(objects)
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with readers of rows: `cargo xtask test` runs it"]
async fn duckdb_reads_records_byte_for_byte() {
    let config = Config {
        tenants: vec![TenantGroup { name: Some("Alone".into()), ..TenantGroup::new(Owner::Standalone, 1) }],
        credentials: vec![CredentialConfig::for_tenant("Alone", Role::ReadOnly)],
        ..Config::default()
    };
    let env = TestEnv::start(config, CredentialKind::Tenant).await.expect("a simulator");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(serve(listener, address.clone()));
    for format in [Format::NdjsonGzip, Format::NdjsonZstd] {
        check_export(&env, &address, format).await;
    }
}

/// Exports the records in this format, and compares them with what DuckDB reads.
async fn check_export(env: &TestEnv, address: &str, format: Format) {
    let folder = tempfile::tempdir().expect("a folder");
    let function = env.export_function(&folder.path().to_string_lossy());
    let function = function.env("SOPHOS_IDENTITY_URL", address).env("SOPHOS_GLOBAL_URL", address);
    let function = function.env("EXPORT_FORMAT", format.extension());
    let mut sandbox = function.start().await.expect("the function starts");
    let outcome = sandbox.invoke(&TestEnv::schedule_event()).await;
    let InvocationOutcome::Ok(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report["rows"], RECORDS.len(), "{report}");

    let read = read_with_duckdb(folder.path(), format);
    let rows: Vec<(String, String, String)> = serde_json::from_value(read["rows"].clone()).expect("rows");
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sent: Vec<_> =
        RECORDS.iter().map(|(id, record)| ((*id).to_owned(), hex(record), TENANT.to_owned())).collect();
    assert_eq!(rows, sent);
    assert_eq!(read["members"], json!(["upper", "lower"]), "names differ by case");
    // Without declared columns DuckDB also reads the record as text.
    assert_eq!(read["types"]["record"], "VARCHAR", "{read}");
}
