//! How large crowds may be: by design, and as far as the machine goes.

use server::settings::ServerSettings;

use crate::{
    environment,
    limits::{CONNECTION_BYTES, DESCRIPTORS_BESIDES},
    record::Environment,
};

/// Clients of one crowd: more shows nothing new, and two cores are busy with fewer.
const MOST_CLIENTS: u64 = 5_000;
/// Connections of the server that crowds leave to pages and other clients.
const LEFT_TO_OTHERS: u64 = 256;

/// What a machine and a server allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Clients of one transport.
    pub most_clients: u32,
    /// Clients of all transports together: each is a connection, and a descriptor, of the one server.
    pub most_of_all: u32,
}

impl Bounds {
    pub fn of(settings: &ServerSettings) -> Self {
        Self::on(settings.max_connections as u64, &environment::describe())
    }

    fn on(connections: u64, machine: &Environment) -> Self {
        let descriptors = machine.descriptor_limit.saturating_sub(DESCRIPTORS_BESIDES);
        // Closed connections keep their ports for a while, so that half of them are to be had. Transports have ports of their own, so their
        // clients' do not add up. Where there is no range, it is not known.
        let ports = match machine.ephemeral_ports {
            0 => u64::MAX,
            ports => u64::from(ports / 2),
        };
        let of_all = connections.min(descriptors).saturating_sub(LEFT_TO_OTHERS);
        let of_one = [MOST_CLIENTS, descriptors, ports, of_all].into_iter().min();
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            most_clients: small(of_one.unwrap_or(0)),
            most_of_all: small(of_all),
        }
    }
}

/// Says what is missing where so many more clients would not fit into memory.
pub fn lacks_memory(more: u32) -> Option<String> {
    const MIB: u64 = 1 << 20;
    let needed = u64::from(more) * CONNECTION_BYTES;
    let available = environment::available_memory_bytes()?;
    (needed > available).then(|| {
        format!(
            "{more} more clients take about {} MiB of memory, and {} MiB are available: ask for fewer",
            needed / MIB,
            available / MIB
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(connections: u64, descriptor_limit: u64, ephemeral_ports: u32) -> (u32, u32) {
        let machine = Environment {
            descriptor_limit,
            ephemeral_ports,
            ..environment::describe()
        };
        let Bounds {
            most_clients,
            most_of_all,
        } = Bounds::on(connections, &machine);
        (most_clients, most_of_all)
    }

    #[test]
    fn whatever_is_scarcest_bounds_a_crowd() {
        assert_eq!(bounds(100_000, 20_000, 28_232), (5_000, 19_680), "the design");
        assert_eq!(bounds(100_000, 1_024, 28_232), (704, 704), "descriptors");
        assert_eq!(bounds(1_000, 20_000, 28_232), (744, 744), "the server's own cap");
        assert_eq!(bounds(100_000, 20_000, 2_000), (1_000, 19_680), "ports");
        assert_eq!(bounds(100_000, 20_000, 0), (5_000, 19_680), "ports unknown");
        assert_eq!(bounds(10, 64, 100), (0, 0), "nothing");
    }

    #[test]
    fn no_machine_has_memory_for_any_number() {
        assert_eq!(lacks_memory(0), None);
        let words = lacks_memory(u32::MAX).expect("no machine of today has 256 TiB");
        assert!(words.contains("4294967295 more clients"), "{words}");
    }
}
