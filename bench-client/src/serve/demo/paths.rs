//! See `demo`.

use std::{io, sync::Arc};

use server::http::App;

pub fn open(_app: &Arc<App>) -> io::Result<()> {
    Ok(())
}
