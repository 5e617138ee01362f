//! `crowd`: what `serve --demo` starts this program as. In no help, manual or completion: its orders come by stdin.

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, runtime};
use crate::serve::demo::crowd::clients;

#[derive(Args)]
pub struct CrowdArgs {
    /// The server's control endpoints
    #[arg(long)]
    url: String,
    /// Where the clients connect
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    transport: String,
}

pub fn command(arguments: &CrowdArgs) -> Result<u8, Failure> {
    let CrowdArgs {
        url,
        address,
        transport,
    } = arguments;
    runtime()?.block_on(clients::run(url, *address, transport))?;
    Ok(0)
}
