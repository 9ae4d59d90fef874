//! Frames between host and Python: a big-endian 32-bit length, then that many bytes of JSON.
//! Descriptors ride with the first byte of a frame (`SCM_RIGHTS`); only the host sends any.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use bytes::{Buf, Bytes, BytesMut};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};
use serde::Serialize;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Metadata with a picture has a few megabytes; more than this is no frame of ours.
const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;
const LENGTH_BYTES: usize = 4;
const READ_BYTES: usize = 64 * 1024;

/// A pair of connected sockets: ours for the runtime, theirs to hand over. Programs that this
/// process starts inherit neither.
pub(crate) fn pair() -> io::Result<(UnixStream, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)?;
    let ours = std::os::unix::net::UnixStream::from(ours);
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs))
}

/// Sends one frame with its descriptors.
///
/// Not safe to drop half-way: the stream would be torn. Callers are tasks that own the stream.
pub(crate) async fn send<T: Serialize + Sync>(
    stream: &UnixStream,
    message: &T,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut frame = vec![0; LENGTH_BYTES];
    serde_json::to_writer(&mut frame, message)?;
    let length = u32::try_from(frame.len() - LENGTH_BYTES).map_err(|_| too_large(frame.len()))?;
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    let raw: Vec<_> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let mut sent = 0;
    while sent < frame.len() {
        let rights = [ControlMessage::ScmRights(&raw)];
        let with = if sent == 0 && !raw.is_empty() {
            &rights[..]
        } else {
            &[]
        };
        let rest = [IoSlice::new(&frame[sent..])];
        sent += stream
            .async_io(Interest::WRITABLE, || {
                let fd = stream.as_fd().as_raw_fd();
                let flags = MsgFlags::MSG_NOSIGNAL;
                Ok(sendmsg::<()>(fd, &rest, with, flags, None)?)
            })
            .await?;
    }
    Ok(())
}

/// Reads frames. What has arrived stays here, so [`FrameReader::next`] is safe to drop.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    arrived: BytesMut,
}

impl FrameReader {
    /// The next frame; `None` at the end of the stream.
    pub(crate) async fn next(&mut self, stream: &UnixStream) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(Some(frame));
            }
            stream.readable().await?;
            if self.fill(stream)? == Some(0) {
                return Ok(None);
            }
        }
    }

    /// The next frame if it is already here or in the socket; never waits. For what a process left
    /// behind when it died.
    pub(crate) fn left_behind(&mut self, stream: &UnixStream) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(Some(frame));
            }
            if matches!(self.fill(stream)?, None | Some(0)) {
                return Ok(None);
            }
        }
    }

    /// The next frame that has arrived whole.
    pub(crate) fn buffered(&mut self) -> io::Result<Option<Bytes>> {
        let Some(length) = self.arrived.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(too_large(length));
        }
        if self.arrived.len() < LENGTH_BYTES + length {
            return Ok(None);
        }
        self.arrived.advance(LENGTH_BYTES);
        Ok(Some(self.arrived.split_to(length).freeze()))
    }

    /// One read: bytes, 0 at the end, `None` when it would have to wait.
    fn fill(&mut self, stream: &UnixStream) -> io::Result<Option<usize>> {
        self.arrived.reserve(READ_BYTES);
        match stream.try_read_buf(&mut self.arrived) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }
}

fn too_large(length: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a frame of {length} bytes is over the limit of {FRAME_BYTES_MAX}"),
    )
}
