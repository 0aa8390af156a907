//! `sweep` with a program that plays the server: what it tries, what it says, and what it leaves behind, which is
//! nothing.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::FakeServer;
use crate::support::admin::FakeAdmin;
use crate::support::files::{complaint, fresh, program};

/// Where the player says that it lives.
const LIFE: &str = "PLAYER_LIFE";
/// The player ends instead of serving.
const DIES: &str = "PLAYER_DIES";
/// The player's arguments.
const ARGUMENTS: &str = "PLAYER_ARGUMENTS";

/// Not a test: the program behind [`script`], which is this test program again.
#[test]
#[ignore = "plays the server of a sweep"]
fn plays_the_server() {
    let arguments = std::env::var(ARGUMENTS).expect("set by the script");
    if std::env::var_os(DIES).is_some() {
        eprintln!("the data folder is on fire");
        std::process::exit(1);
    }
    let foreign = std::env::vars().map(|(name, _)| name).find(|name| name == "STOCKADE_SERVER_CONNECTIONS_MAX");
    assert_eq!(foreign, None, "the sweep's servers are configured by the sweep");
    let data = arguments.split("--data ").nth(1).unwrap().split(' ').next().unwrap();
    fs::create_dir(data).expect("every server has a folder of its own");
    let (server, admin) = (FakeServer::honest(), FakeAdmin::start());
    let mut life = TcpStream::connect(std::env::var(LIFE).unwrap()).unwrap();
    let cores = std::env::var("STOCKADE_SERVER_CORES").unwrap();
    let groups = std::env::var("STOCKADE_JOURNAL_GROUP_CLAIMS_MAX").unwrap();
    writeln!(life, "{} {cores} {groups} {arguments}", std::process::id()).unwrap();
    println!("\nmetrics and probes on http://{}\nlistening on {}", admin.address, server.address);
    loop {
        thread::park();
    }
}

/// A program that takes a server's command line; `check-config` refuses 77 cores.
fn script(folder: &Path) -> PathBuf {
    let path = folder.join("stockade");
    let player = std::env::current_exe().unwrap();
    let name = "no_server_outlives_a_sweep::plays_the_server";
    let text = format!(
        "#!/bin/sh\n\
         if [ \"$1\" = check-config ]; then\n\
           [ \"$STOCKADE_SERVER_CORES\" != 77 ] && exit 0\n\
           echo 'server.cores: 77 is too many' >&2; exit 2\n\
         fi\n\
         {ARGUMENTS}=\"$*\" exec '{}' --exact {name} --ignored --nocapture\n",
        player.display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A sweep that is not started yet, its folder, and where its servers tell of their lives.
struct Scene {
    folder: PathBuf,
    lives: TcpListener,
    command: Command,
}

impl Scene {
    fn new(name: &str, arguments: &[&str]) -> Self {
        let folder = fresh(name);
        fs::create_dir_all(folder.join("disk")).unwrap();
        let lives = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut command = program("sweep");
        command.arg("--stockade").arg(script(&folder)).arg("--data-parent").arg(folder.join("disk"));
        command.args(["--styles", "2x4", "--warm-up", "0s", "--group-limits", "8192"]).args(arguments);
        command.env(LIFE, lives.local_addr().unwrap().to_string()).env("STOCKADE_SERVER_CONNECTIONS_MAX", "1");
        Self { folder, lives, command }
    }

    /// Waits for the next server: what it says of itself, its process first.
    fn next_server(&self) -> String {
        self.lives.accept().map(|(life, _)| told(life)).unwrap()
    }

    /// All servers of a sweep that is over.
    fn servers(&self) -> Vec<String> {
        self.lives.set_nonblocking(true).unwrap();
        self.lives.incoming().map_while(Result::ok).map(told).collect()
    }

    fn assert_nothing_is_left(&self) {
        let left = fs::read_dir(self.folder.join("disk")).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(left.collect::<Vec<_>>(), [""; 0].map(PathBuf::from));
    }
}

/// The line that a server said of itself.
fn told(life: TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(life).read_line(&mut line).unwrap();
    line
}

/// Panics if the server that said `line` is still there, now that the sweep is over: it waits for what it kills.
fn assert_is_gone(line: &str) {
    let server = line.split(' ').next().and_then(|pid| Pid::from_raw(pid.parse().ok()?)).unwrap();
    if test_kill_process(server).is_ok() {
        // Nobody else will.
        let _ = kill_process(server, Signal::KILL);
        panic!("this server outlived its sweep: {line}");
    }
}

#[test]
fn every_combination_runs_on_a_server_of_its_own_and_a_configuration_is_recommended() {
    let arguments = ["--cores", "2,1", "--windows", "1,3", "--duration", "200ms", "--json"];
    let mut scene = Scene::new("sweep-all", &arguments);
    let fragment = scene.folder.join("recommended.toml");
    scene.command.arg("--write").arg(&fragment);
    let output = scene.command.output().unwrap();
    let servers = scene.servers();
    servers.iter().for_each(|line| assert_is_gone(line));
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let settings = servers.iter().map(|line| line.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" "));
    assert_eq!(settings.collect::<Vec<_>>(), ["1 8192", "1 8192", "2 8192", "2 8192"]);
    assert!(servers.iter().all(|line| line.contains(" serve ") && line.contains("--durability fsync")), "{servers:?}");
    let findings = serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    let windows = findings["points"].as_array().unwrap().iter().map(|point| point["spot"]["window"].as_u64().unwrap());
    assert_eq!(windows.collect::<Vec<_>>(), [1, 3, 1, 3]);
    assert_eq!(findings["knees"].as_array().unwrap().len(), 2);
    let (text, lines) = (fs::read_to_string(&fragment).unwrap(), complaint(&output));
    let recommended = findings["recommendation"]["setting"]["cores"].as_u64().unwrap();
    assert!(text.contains(&format!("\ncores = {recommended}\n")), "{text}");
    assert!(lines.contains("4 of 4: cores 2, group limit 8192, clients 2x4, window 3: ") && !lines.contains('\u{1b}'));
    scene.assert_nothing_is_left();
    let again = scene.command.output().unwrap();
    assert_eq!(again.status.code(), Some(2), "a file is not overwritten");
    assert!(complaint(&again).contains("recommended.toml exists: name a new file"));
}

/// A sweep of one run that measures for so long, with its server.
fn sweep_of(name: &str, duration: &str) -> (Scene, Child, String) {
    let mut scene = Scene::new(name, &["--cores", "1", "--windows", "1", "--duration", duration]);
    let mut sweep = scene.command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut errors, lives) = (sweep.stderr.take().unwrap(), scene.lives.local_addr().unwrap());
    // A sweep that ends without a server must not leave the test waiting for one.
    thread::spawn(move || {
        let mut text = String::new();
        let _ = errors.read_to_string(&mut text);
        if let Ok(mut life) = TcpStream::connect(lives) {
            let _ = write!(life, "no server: {text}");
        }
    });
    let line = scene.next_server();
    assert!(line.contains(" serve "), "{line}");
    (scene, sweep, line)
}

#[test]
fn signals_kill_the_server_and_remove_its_data() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let (scene, mut sweep, line) = sweep_of(&format!("sweep-signal-{status}"), "10m");
        kill_process(Pid::from_child(&sweep), signal).unwrap();
        assert_eq!(sweep.wait().unwrap().code(), Some(status));
        assert_is_gone(&line);
        scene.assert_nothing_is_left();
    }
}

#[test]
fn a_server_that_dies_under_load_ends_the_sweep() {
    let (scene, mut sweep, line) = sweep_of("sweep-death", "100ms");
    let server = line.split(' ').next().and_then(|pid| Pid::from_raw(pid.parse().ok()?)).unwrap();
    kill_process(server, Signal::KILL).unwrap();
    // A run waits a while for a server that is away, and this one stays away.
    assert_eq!(sweep.wait().unwrap().code(), Some(1));
    scene.assert_nothing_is_left();
}

#[test]
fn a_server_that_does_not_start_is_an_error_with_its_own_words() {
    let mut scene = Scene::new("sweep-dies", &["--cores", "1", "--windows", "1", "--duration", "50ms"]);
    let output = scene.command.env(DIES, "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("the data folder is on fire"), "{}", complaint(&output));
    scene.assert_nothing_is_left();
}

#[test]
fn settings_that_the_server_would_refuse_are_found_before_the_first_run() {
    let mut scene = Scene::new("sweep-refused", &["--cores", "1,77", "--windows", "1"]);
    let output = scene.command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = complaint(&output);
    assert!(text.contains("server.cores: 77 is too many") && text.contains("change the lists"), "{text}");
    assert!(!text.contains("1 of 2"), "nothing ran: {text}");
    scene.assert_nothing_is_left();
}

#[test]
fn mistakes_on_the_command_line_are_named_all_at_once() {
    let output = program("sweep")
        .args(["--styles", "0x4,1x9000", "--windows", "0", "--stockade", "/nowhere/stockade"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = complaint(&output);
    for part in ["connections is 0", "claims_per_frame is 9000", "window is 0", "/nowhere/stockade"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let mut scene = Scene::new("sweep-nowhere", &["--cores", "1", "--windows", "1"]);
    fs::remove_dir(scene.folder.join("disk")).unwrap();
    let output = scene.command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = complaint(&output);
    assert!(text.contains("no folder can be made in") && text.contains("--data-parent"), "{text}");
}
