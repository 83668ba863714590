//! One operation for each of many objects, with a bound on the concurrent requests.

use std::{future::poll_fn, task::Poll};

use crate::{
    BoxFuture, WithRaw,
    client::ApiClient,
    error::Error,
    models::{AlertAction, AlertActionKind},
    operation::Operation,
    operations::common::alerts::ActOnAlert,
};

/// Sends operations, at most `max_concurrent` at a time, and returns each result in
/// the order of the operations. A failure does not end the others.
///
/// ```
/// use sophos_api::{Error, TenantClient, Transport, operations::endpoint::scans::ScanEndpoint, send_all};
///
/// async fn scan<T: Transport>(tenant: TenantClient<T>, ids: &[String]) -> Vec<Error> {
///     let results = send_all(&tenant, ids.iter().map(ScanEndpoint::new), 4).await;
///     results.into_iter().filter_map(Result::err).collect()
/// }
/// ```
pub async fn send_all<C: ApiClient, O: Operation + 'static>(
    client: &C,
    operations: impl IntoIterator<Item = O>,
    max_concurrent: usize,
) -> Vec<Result<O::Response, Error>> {
    let futures: Vec<BoxFuture<'static, _>> = operations
        .into_iter()
        .map(|operation| {
            let client = client.clone();
            Box::pin(async move { client.send(&operation).await }) as BoxFuture<'static, _>
        })
        .collect();
    join_bounded(futures, max_concurrent).await
}

/// Requests one action on each of many alerts, at most `max_concurrent` at a time.
/// Returns the result for each alert, in their order.
///
/// The service has no bulk action. An alert whose `allowedActions` lack the action
/// fails with [`ErrorKind::Invalid`](crate::ErrorKind::Invalid).
///
/// ```
/// use sophos_api::{Error, TenantClient, Transport, act_on_alerts, models::AlertActionKind};
///
/// /// Acknowledges alerts, and returns the ones that failed.
/// async fn acknowledge<T: Transport>(tenant: &TenantClient<T>, ids: &[String]) -> Vec<(String, Error)> {
///     let action = AlertActionKind::Acknowledge;
///     let results = act_on_alerts(tenant, ids, action, Some("reviewed"), 4).await;
///     results.into_iter().filter_map(|(id, result)| Some((id, result.err()?))).collect()
/// }
/// ```
pub async fn act_on_alerts<C: ApiClient>(
    tenant: &C,
    alert_ids: impl IntoIterator<Item = impl Into<String>>,
    action: AlertActionKind,
    message: Option<&str>,
    max_concurrent: usize,
) -> Vec<(String, Result<WithRaw<AlertAction>, Error>)> {
    let ids: Vec<String> = alert_ids.into_iter().map(Into::into).collect();
    let operations: Vec<_> = ids
        .iter()
        .map(|id| {
            let mut operation = ActOnAlert::new(id, action.clone());
            operation.message = message.map(str::to_owned);
            operation
        })
        .collect();
    let results = send_all(tenant, operations, max_concurrent).await;
    ids.into_iter().zip(results).collect()
}

/// Completes futures, at most `max_concurrent` at a time (at least one), and returns
/// their outputs in order.
async fn join_bounded<V>(futures: Vec<BoxFuture<'static, V>>, max_concurrent: usize) -> Vec<V> {
    let mut outputs: Vec<Option<V>> = futures.iter().map(|_| None).collect();
    let mut waiting = futures.into_iter().enumerate();
    let mut active: Vec<_> = waiting.by_ref().take(max_concurrent.max(1)).collect();
    poll_fn(|context| {
        let mut index = 0;
        while let Some((position, future)) = active.get_mut(index) {
            match future.as_mut().poll(context) {
                Poll::Pending => index += 1,
                Poll::Ready(output) => {
                    outputs[*position] = Some(output);
                    drop(active.swap_remove(index));
                    active.extend(waiting.next());
                }
            }
        }
        if active.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
