//! Every metric of the API, declared and described here. Labels come from closed sets, never ids.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;

/// Seconds. From a read of memory to a commit on a slow object store; long polls fall in the last.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    /// The route as declared, `…/runs/{run}`.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InWorkspace {
    workspace: String,
}

type Count = Counter<u64, AtomicU64>;
type Level = Gauge<i64, AtomicI64>;

/// The metrics of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Count>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    streams: Level,
    in_flight: Level,
    /// Facts that hosts reported.
    pub(crate) reports: Count,
    /// Leases given to hosts.
    pub(crate) leases: Count,
    /// Bytes of output that hosts uploaded.
    pub(crate) log_bytes: Count,
    segment: Family<InWorkspace, Level>,
    leads: Family<InWorkspace, Level>,
    active_runs: Family<InWorkspace, Level>,
    ready_tasks: Family<InWorkspace, Level>,
    hosts: Family<InWorkspace, Level>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut out = Self {
            registry: Registry::with_prefix("arco"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram as fn() -> Histogram),
            streams: Level::default(),
            in_flight: Level::default(),
            reports: Count::default(),
            leases: Count::default(),
            log_bytes: Count::default(),
            segment: Family::default(),
            leads: Family::default(),
            active_runs: Family::default(),
            ready_tasks: Family::default(),
            hosts: Family::default(),
        };
        out.declare();
        out
    }

    fn declare(&mut self) {
        let r = &mut self.registry;
        r.register("http_requests", "Requests answered", self.requests.clone());
        r.register_with_unit(
            "http_request_duration",
            "Time from request to answer; long polls included",
            Unit::Seconds,
            self.seconds.clone(),
        );
        r.register(
            "http_requests_in_flight",
            "Requests that are not answered yet",
            self.in_flight.clone(),
        );
        r.register("event_streams", "Open event streams", self.streams.clone());
        r.register(
            "host_reports",
            "Facts reported by worker hosts",
            self.reports.clone(),
        );
        r.register(
            "host_leases",
            "Leases given to worker hosts",
            self.leases.clone(),
        );
        r.register_with_unit(
            "attempt_log",
            "Output uploaded by worker hosts",
            Unit::Bytes,
            self.log_bytes.clone(),
        );
        r.register(
            "log_segment",
            "Last committed segment of the workspace",
            self.segment.clone(),
        );
        r.register(
            "leads",
            "1 when this process leads the workspace",
            self.leads.clone(),
        );
        r.register(
            "active_runs",
            "Runs that are not over",
            self.active_runs.clone(),
        );
        r.register(
            "ready_tasks",
            "Tasks that wait for a host",
            self.ready_tasks.clone(),
        );
        r.register("hosts", "Worker hosts that are alive", self.hosts.clone());
    }

    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let method = method_label(method);
        let request = Request {
            method,
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&request).inc();
        let route = Route {
            method,
            route: route.to_owned(),
        };
        self.seconds
            .get_or_create(&route)
            .observe(took.as_secs_f64());
    }

    /// Counts a stream for as long as the answer lives.
    pub(crate) fn stream_opened(&self) -> Open {
        Open::new(&self.streams)
    }

    /// Counts a request until it is answered.
    pub(crate) fn request_begun(&self) -> Open {
        Open::new(&self.in_flight)
    }

    /// All metrics as text; what the engines know is read now.
    pub(crate) fn text(&self, app: &App) -> String {
        for workspace in app.workspaces() {
            let label = InWorkspace {
                workspace: workspace.name.clone(),
            };
            let view = workspace.engine.view();
            let state = &view.state;
            let set = |family: &Family<InWorkspace, Level>, value: usize| {
                family
                    .get_or_create(&label)
                    .set(i64::try_from(value).unwrap_or(i64::MAX));
            };
            set(
                &self.segment,
                usize::try_from(view.position().segment).unwrap_or(usize::MAX),
            );
            set(&self.leads, usize::from(view.leads));
            set(&self.active_runs, state.active_runs.len());
            set(&self.ready_tasks, state.ready.len());
            let alive =
                |h: &&arco_flow::state::HostState| h.status == arco_flow::state::HostStatus::Alive;
            set(&self.hosts, state.hosts.values().filter(alive).count());
        }
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Something that is open; counted until it is dropped, in whatever way it ends.
pub(crate) struct Open(Level);

impl Open {
    fn new(level: &Level) -> Self {
        level.inc();
        Self(level.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
