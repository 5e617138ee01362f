//! What a browser is handed, and where from: over bare HTTP, without one.

use crate::{
    lab::{Lab, until},
    processes::{Server, get},
};

#[test]
fn serve_listens_on_this_machine_alone_unless_told() {
    let lab = Lab::new();
    // The default names the port too, which another program may have: only the help is certain to say it everywhere.
    let help = lab.run("serve --help").with_code(0).stdout;
    assert!(help.contains("[default: 127.0.0.1:"), "{help}");
    let (server, url) = lab.serve("--demo --rate 2");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    // Every port it opened besides, those of lanes and paths too, is of this machine alone.
    let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", server.pid())).expect("/proc is mounted");
    let sockets = until("its sockets", || {
        Server::of_process(server.pid())?;
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).ok()?.flatten();
        let links = descriptors.filter_map(|one| std::fs::read_link(one.path()).ok());
        Some(
            links
                .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
                .collect::<Vec<_>>(),
        )
    });
    let mut listening = 0;
    for line in table.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, local, _, "0A", _, _, _, _, _, inode, ..] = fields[..] else {
            continue;
        };
        if sockets.iter().any(|socket| socket == inode) {
            listening += 1;
            assert!(local.starts_with("0100007F:"), "listens at {local}");
        }
    }
    assert!(listening >= 5, "its own port and one for each transport: {listening}");
    let wide = std::fs::read_to_string(format!("/proc/{}/net/tcp6", server.pid())).unwrap_or_default();
    let wide = wide.lines().any(|line| {
        sockets
            .iter()
            .any(|socket| line.split_whitespace().any(|field| field == socket))
    });
    assert!(!wide, "nothing listens at an IPv6 address that nobody named");
}

#[test]
fn the_page_is_told_what_there_is_and_no_more() {
    let lab = Lab::new();
    for (arguments, demo) in [("--rate 2", false), ("--rate 2 --demo", true)] {
        let (_server, url) = lab.serve(arguments);
        let address = url.trim_start_matches("http://").parse().expect("an address");
        let ask =
            |path| serde_json::from_str::<serde_json::Value>(&get(address, path).expect("it answers")).expect("JSON");
        let (page, transports) = (ask("/api/page"), ask("/api/transports"));
        let offers: Vec<_> = page["offers"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one.as_str())
            .collect();
        assert!(offers.contains(&"results") && offers.contains(&"wire"), "{offers:?}");
        assert_eq!(offers.contains(&"demo"), demo, "{offers:?}");
        let paths = page["paths"].as_array().expect("paths");
        assert_eq!(paths[0]["id"], "direct");
        let ids: Vec<_> = paths.iter().filter_map(|path| path["id"].as_str()).collect();
        let more = ["delay-10", "delay-50", "delay-150", "delay-500", "slow-reader"];
        assert_eq!(more.iter().all(|id| ids.contains(id)), demo, "{ids:?}");
        for path in paths {
            for transport in transports.as_array().expect("a list") {
                let id = transport["id"].as_str().expect("an id");
                assert!(
                    path["lanes"][id].as_u64().is_some_and(|port| port > 0),
                    "{path}: no lane for {id}"
                );
            }
        }
        assert_eq!(page["token"].as_str().map(str::len), Some(32));
    }
}
