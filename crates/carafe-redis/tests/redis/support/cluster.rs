//! A cluster of three servers.

use std::time::{Duration, Instant};

use super::{Server, free_port};

pub(crate) struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| node()).collect();
        let ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (node, (first, last)) in nodes.iter().zip(ranges) {
            assert_eq!(node.cli(&["CLUSTER", "ADDSLOTSRANGE", first, last]), "OK");
        }
        let first = &nodes[0];
        for node in &nodes[1..] {
            let bus = node.cli(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.lines().last().expect("a port").to_owned();
            let port = node.port().to_string();
            let met = first.cli(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
            assert_eq!(met, "OK");
        }
        let cluster = Self { nodes };
        cluster.wait_until_it_is_whole();
        cluster
    }

    fn wait_until_it_is_whole(&self) {
        let began = Instant::now();
        let is_ok = |node: &Server| {
            let info = node.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        while !self.nodes.iter().all(is_ok) {
            assert!(began.elapsed() < Duration::from_secs(60), "no cluster");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Server::tcp_url).collect()
    }

    pub(crate) fn nodes(&self) -> &[Server] {
        &self.nodes
    }
}

fn node() -> Server {
    let bus = free_port().to_string();
    Server::with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
}
