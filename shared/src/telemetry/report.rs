//! One line for every invocation: what was asked, what came of it and what it cost.
//!
//! The line is a log record and a set of metrics at once, in [CloudWatch's embedded metric format][emf]: its members are
//! the metrics' values and dimensions, so that nothing is said twice. It follows no log level, because it is the audit of
//! every attempt.
//!
//! [emf]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::FutureExt;
use serde::Serialize;
use tokio::time::Instant;

use super::cost::{self, Cost};
use crate::{error::Fault, host::Host};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "ApiKeys";

/// What a function's invocations are called, in its lines and as a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of the authorizer: somebody tries a key.
    Attempt,
    /// Of everything else.
    Request,
}

/// What came of an invocation.
#[derive(Clone, Debug)]
pub struct Report<F> {
    /// `allowed` or `ok`, or the code of a refusal: one of a closed list, because each is a metric of its own.
    pub outcome: &'static str,
    /// The code of our own fault, if that was the reason.
    pub fault: Option<&'static str>,
    /// How many uses may have been counted without having been allowed.
    pub uncertain: u32,
    /// Whether a request was allowed to go on to its API: then `fields` must name that as `api_id`.
    pub allowed: bool,
    /// What else is known, as members of the line.
    pub fields: F,
}

impl<F> Report<F> {
    /// A report without a fault.
    pub const fn new(outcome: &'static str, fields: F) -> Self {
        Self { outcome, fault: None, uncertain: 0, allowed: false, fields }
    }

    /// The same with other fields.
    pub fn with<G>(self, fields: G) -> Report<G> {
        let Self { outcome, fault, uncertain, allowed, fields: _ } = self;
        Report { outcome, fault, uncertain, allowed, fields }
    }

    /// A report of a fault of ours, which is logged with its detail.
    pub fn fault(fault: &Fault, fields: F) -> Self {
        tracing::error!(fault = fault.code, detail = fault.detail, "the invocation failed");
        Self { fault: Some(fault.code), ..Self::new("internal", fields) }
    }
}

/// Writes a function's lines.
pub struct Reporter {
    kind: Kind,
    function: String,
    host: Host,
    warm: AtomicBool,
}

/// What a line has said.
#[derive(Clone, Debug)]
pub struct Told<F> {
    /// [`Report::outcome`].
    pub outcome: &'static str,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// [`Report::fields`].
    pub fields: F,
}

tokio::task_local! {
    static LAMBDA_REQUEST: String;
}

/// Names the invocation that `work` answers by Lambda's own id of it.
pub async fn within<T>(lambda_request: String, work: impl Future<Output = T>) -> T {
    LAMBDA_REQUEST.scope(lambda_request, work).await
}

impl Reporter {
    /// For the function of that name.
    #[must_use]
    pub const fn new(kind: Kind, function: String, host: Host) -> Self {
        Self { kind, function, host, warm: AtomicBool::new(false) }
    }

    /// Does `work` and writes the line that it reports. A panic ends as a fault, like any other of ours: with a line, and as
    /// nothing more than what `failed` answers.
    pub async fn line<T, F>(&self, work: impl Future<Output = (T, Report<F>)>, failed: impl FnOnce() -> (T, F)) -> (T, Told<F>)
    where
        F: Serialize,
    {
        let cold = !self.warm.swap(true, Ordering::Relaxed);
        let began = Instant::now();
        // In a box, because it is large, and each wrapper would hold a copy of it on the stack.
        let work = Box::pin(work);
        let (done, cost) = cost::counted(AssertUnwindSafe(work).catch_unwind()).await;
        let (answer, report) = done.unwrap_or_else(|_| {
            let (answer, fields) = failed();
            (answer, Report::fault(&Fault::new("panic", "see the standard error stream"), fields))
        });
        // Microseconds are enough.
        let duration_ms = (began.elapsed().as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let line = Line::new(self, &report, &cost, cold, duration_ms);
        match serde_json::to_string(&line) {
            Ok(line) => self.host.output.line(&line),
            Err(error) => tracing::error!(%error, "no line"),
        }
        (answer, Told { outcome: report.outcome, duration_ms, fields: report.fields })
    }
}

/// Writes a line of its own for `attempts` whose copies the audit table will never have; their own lines are out.
pub fn audit_lost(host: &Host, function: &str, attempts: u64) {
    let metrics = vec![Metric { name: "audit_lost", unit: "Count" }];
    let directives = vec![Directive { namespace: NAMESPACE, dimensions: [&["function"]], metrics }];
    let aws = Metadata { timestamp: host.clock.millis(), directives };
    let line = serde_json::json!({ "event": "audit_lost", "function": function, "audit_lost": attempts, "_aws": aws });
    host.output.line(&line.to_string());
}

#[derive(Serialize)]
struct Line<'a, F> {
    event: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(flatten)]
    fields: &'a F,
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda_request_id: Option<String>,
    function: &'a str,
    #[serde(flatten)]
    metrics: serde_json::Map<String, serde_json::Value>,
    #[serde(rename = "_aws")]
    aws: Metadata,
}

impl<'a, F> Line<'a, F> {
    fn new(reporter: &'a Reporter, report: &'a Report<F>, cost: &Cost, cold: bool, duration_ms: f64) -> Self {
        let (event, count) = match reporter.kind {
            Kind::Attempt => ("attempt", "attempts"),
            Kind::Request => ("request", "requests"),
        };
        let mut metrics = serde_json::Map::new();
        let mut metric = |name: &'static str, unit: &'static str, value: serde_json::Value| {
            metrics.insert(name.to_owned(), value);
            Metric { name, unit }
        };
        let mut costs = vec![
            metric("duration_ms", "Milliseconds", duration_ms.into()),
            metric("engine_calls", "Count", cost.engine_calls.into()),
            // Always there, so that its average is the rate of our own faults.
            metric("own_fault", "Count", u8::from(report.fault.is_some()).into()),
        ];
        let rare = [
            ("bcrypt_runs", cost.bcrypt_runs),
            ("cold_start", u32::from(cold)),
            ("audit_lost", cost.audit_lost),
            ("unannounced", cost.unannounced),
            ("uncertain", report.uncertain),
        ];
        costs.extend(rare.into_iter().filter(|(_, value)| *value > 0).map(|(name, value)| metric(name, "Count", value.into())));
        let mut directives = vec![
            Directive { namespace: NAMESPACE, dimensions: [&["function"]], metrics: costs },
            Directive {
                namespace: NAMESPACE,
                dimensions: [&["function", "outcome"]],
                metrics: vec![metric(count, "Count", 1.into())],
            },
        ];
        if report.allowed {
            let metrics = vec![metric("allowed", "Count", 1.into())];
            directives.push(Directive { namespace: NAMESPACE, dimensions: [&["function", "api_id"]], metrics });
        }
        Self {
            event,
            outcome: report.outcome,
            fault: report.fault,
            fields: &report.fields,
            lambda_request_id: LAMBDA_REQUEST.try_with(Clone::clone).ok(),
            function: &reporter.function,
            metrics,
            aws: Metadata { timestamp: reporter.host.clock.millis(), directives },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: u64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: Vec<Directive>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::host::Output;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl Output for Lines {
        fn line(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_with_a_line() {
        let lines = Arc::new(Lines::default());
        let output: Arc<dyn Output> = Arc::clone(&lines) as _;
        let reporter = Reporter::new(Kind::Request, "f".to_owned(), Host { output, ..Host::system() });
        let empty = || ("failed", serde_json::Map::<String, serde_json::Value>::new());
        let work = async {
            assert!(std::hint::black_box(false), "on purpose");
            (empty().0, Report::new("ok", empty().1))
        };
        assert_eq!(within("id".to_owned(), reporter.line(work, empty)).await.0, "failed");
        let line: serde_json::Value = serde_json::from_str(&lines.0.lock().unwrap()[0]).unwrap();
        assert_eq!((&line["fault"], &line["own_fault"], &line["lambda_request_id"]), (&"panic".into(), &1.into(), &"id".into()));
    }
}
