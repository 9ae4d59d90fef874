//! Uploads of what attempts write, under the token of the attempt. Not through the event log: into
//! the object store, a chunk at a time.

use arco_core::AttemptId;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::Deserialize;

use crate::app::App;
use crate::codes::Code;
use crate::extract::{Bytes, Path, Uploading};
use crate::limits;
use crate::problem::{Answer, Refusal};
use crate::resources::logs;

#[derive(Debug, Deserialize)]
pub(crate) struct ChunkPath {
    attempt: AttemptId,
    stream: String,
    chunk: u64,
}

/// Uploads one chunk of an attempt's output. The same chunk again is the same chunk.
#[utoipa::path(put, path = "/worker/attempts/{attempt}/logs/{stream}/{chunk}", tag = "worker", operation_id = "put_attempt_log",
    params(("attempt" = String, Path, description = "Attempt id"),
           ("stream" = String, Path, description = "`stdout`, `stderr` or `log`"),
           ("chunk" = u64, Path, description = "Counts from 0, without a gap")),
    request_body(content_type = "application/octet-stream", description = "At most 1 MiB"),
    responses((status = 204, description = "Stored")),
    security(("attempt_token" = [])))]
pub(crate) async fn put(
    State(app): State<App>,
    uploading: Uploading,
    Path(path): Path<ChunkPath>,
    Bytes(bytes): Bytes<{ limits::LOG_CHUNK_BYTES_MAX }>,
) -> Answer {
    uploading.check(path.attempt)?;
    let stream = logs::stream(&path.stream)?;
    if path.chunk >= limits::LOG_CHUNKS_MAX {
        return Err(Refusal::new(
            Code::InvalidPath,
            format!(
                "chunk {} is over the bound of {} chunks a stream; write less",
                path.chunk,
                limits::LOG_CHUNKS_MAX
            ),
        ));
    }
    // An empty log makes no object.
    if !bytes.is_empty() {
        app.metrics().log_bytes.inc_by(bytes.len() as u64);
        let engine = &uploading.workspace.engine;
        engine
            .put_attempt_log(path.attempt, stream.as_str(), path.chunk, bytes)
            .await?;
        let news = &uploading.workspace.log_news;
        news.uploaded(path.attempt, stream, path.chunk);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
