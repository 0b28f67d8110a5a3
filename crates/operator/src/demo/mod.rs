//! `nephoran demo`: the whole job in one go, on real input.
//!
//! What it claims it checks by reading the package repository with git, not by asking the
//! operator; one claim that is not so makes it end with 1.

mod claims;
mod story;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use crate::app::Operator;
use crate::config::{self, Flags};
use crate::package::{import_files, init_bare, samples};

use claims::Claims;
use story::Story;

#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// Work here instead of in a temporary folder.
    pub data: Option<PathBuf>,
    /// Leave the folder when done.
    pub keep: bool,
}

/// Exits 0 only if everything it claims is so. On a runtime of its own.
pub fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let (folder, temporary) = match &options.data {
        Some(folder) => {
            let used = folder.join("packages.git").exists() || folder.join("data").exists();
            anyhow::ensure!(
                !used,
                "{} was used before: give an empty folder, or none for a temporary one",
                folder.display()
            );
            std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
            (folder.clone(), None)
        }
        None => {
            let temporary = tempfile::Builder::new()
                .prefix("nephoran-demo-")
                .tempdir()
                .context("make a temporary folder")?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    let told = runtime.block_on(tell(&folder));
    runtime.shutdown_background();
    let kept = match temporary {
        Some(temporary) if options.keep => {
            let _ = temporary.keep();
            true
        }
        Some(_) => false,
        None => true,
    };
    let verdict = told?.verdict();
    println!();
    if kept {
        println!("Everything is left in {}", folder.display());
        println!("  git -C {}/packages.git log -p main", folder.display());
        println!(
            "  nephoran up --data {0}/data --packages {0}/packages.git --hot-folder {0}/hot",
            folder.display()
        );
    } else {
        println!("The folder is gone again; to keep it: nephoran demo --data DIR");
    }
    println!("What to look at next:");
    println!("  nephoran up                      and the page it serves");
    println!("  nephoran translate \"...\"         what the grammar makes of your own words");
    println!("  nephoran config explain          every setting, its origin and what it implies");
    Ok(verdict)
}

async fn tell(folder: &Path) -> anyhow::Result<Claims> {
    let (bare, hot) = (folder.join("packages.git"), folder.join("hot"));
    let mut claims = Claims::about(bare.clone());

    claims.chapter("A git repository with sample kpt packages of a 5G core and RAN");
    init_bare(&bare, "main").await.context("make the package repository")?;
    import_files(&bare, "main", samples::files()).await.context("commit the sample packages")?;
    std::fs::create_dir_all(&hot).context("make the hot folder")?;
    claims.say(&format!("{}", bare.display()));
    claims.say(&format!("packages: {}", claims.packages()?.join(", ")));

    let flags = Flags {
        data: Some(folder.join("data")),
        listen: Some("127.0.0.1:0".into()),
        hot_folder: Some(hot.clone()),
        packages: Some(bare.display().to_string()),
        ..Flags::default()
    };
    // It looks at its records as often as it likes; what it may do is bounded by the queue.
    let unlimited = [("NEPHORAN_LIMITS".to_owned(), "off".to_owned())];
    let config = config::load(&flags, unlimited, None).context("configure the operator")?;
    let operator = Operator::start(&config).await?;
    operator.watch_folder(&config);
    let url = format!("http://{}", operator.address);
    claims.say(&format!("the operator listens on {url}"));

    let told = scenes(&Story::at(&url)?, &mut claims, &url, &hot).await;
    let audit = operator.store.verify_audit(Vec::new()).await;
    operator.stop().await;
    told?;

    claims.chapter("The repository afterwards, read with git");
    claims.whole_repository();
    claims.claim("the audit trail verifies", audit.is_ok_and(|found| found.is_sound()));
    Ok(claims)
}

async fn scenes(story: &Story, claims: &mut Claims, url: &str, hot: &Path) -> anyhow::Result<()> {
    const UPF: &str = "ran-a/upf/deployment.yaml";
    const AMF: &str = "core5g/amf/deployment.yaml";
    const SMF: &str = "core5g/smf/statefulset.yaml";
    const CU_CP: &str = "ran-a/o-cu-cp/deployment.yaml";
    const CU_UP: &str = "ran-a/o-cu-up/deployment.yaml";

    claims.chapter("Words over HTTP");
    let words = "scale upf to 5 in ns ran-a";
    let first = story.say(claims, words, "applied").await?;
    claims.shows_plan(&first);
    claims.claim("its commit changed one scalar and kept every comment", claims.changed_one_scalar(UPF)?);
    claims.claim("the repository says 5", claims.replicas(UPF)? == 5);
    claims.claim("the commit names the intent and the plan", claims.commit_names(&first)?);
    claims.say("report:");
    claims.say(&story.report(&first).await?);
    claims.say(
        "fulfilment: unknown, because no probe measures the cluster; a commit is never called fulfilled",
    );

    claims.chapter("JSON over HTTP: a proposal");
    let proposal = json!({"proposal": {"outcome": "actions", "actions": [{"action": "scale",
        "target": {"name": "amf", "namespace": "core5g"}, "replicas": {"by": 1}}]}});
    claims.say(&proposal.to_string());
    let intent = story.send(claims, "/api/v1/intents", &proposal, "applied").await?;
    claims.shows_plan(&intent);
    claims.claim("the repository says 3", claims.replicas(AMF)? == 3);

    claims.chapter("JSON over HTTP: the drop-in POST /intent");
    let dropin = json!({"intent_type": "scaling", "target": "smf", "namespace": "core5g", "replicas": 4,
        "source": "user", "reason": "evening load"});
    claims.say(&dropin.to_string());
    let intent = story.send(claims, "/intent", &dropin, "applied").await?;
    claims.shows_plan(&intent);
    claims.claim("the repository says 4", claims.replicas(SMF)? == 4);

    claims.chapter("A file in the hot folder");
    std::fs::write(hot.join("intent-demo.txt"), "add one o-cu-cp in namespace ran-a\n")
        .context("write into the hot folder")?;
    claims.say("intent-demo.txt: add one o-cu-cp in namespace ran-a");
    let intent = story.file(claims, hot, "intent-demo.txt", "applied").await?;
    claims.shows_plan(&intent);
    claims.claim("the file moved to processed/", hot.join("processed/intent-demo.txt").is_file());
    claims.claim("the repository says 3", claims.replicas(CU_CP)? == 3);

    claims.chapter("The command line");
    let line = ["submit", "--wait", "double the o-cu-up in ns ran-a"];
    claims.say(&format!("nephoran {} {} \"{}\"", line[0], line[1], line[2]));
    let program = std::env::current_exe().context("find the own program")?;
    let output = tokio::process::Command::new(program)
        .args(line)
        .env("NEPHORAN_SERVER", url)
        .output()
        .await
        .context("run the command line")?;
    for text in [&output.stdout, &output.stderr] {
        String::from_utf8_lossy(text).lines().for_each(|line| claims.say(line));
    }
    claims.claim("it ended with 0", output.status.success());
    claims.claim("the repository says 4", claims.replicas(CU_UP)? == 4);

    claims.chapter("One that asks back");
    let asked = story.say(claims, "scale up the upf in ns ran-a", "needs_answer").await?;
    claims.say(&format!("question: {}", asked["question"].as_str().unwrap_or("none")));
    claims.claim("nothing was committed meanwhile", claims.replicas(UPF)? == 5);
    claims.say("answer: 6");
    let answered = story.act(claims, &asked, "answer", &json!({"text": "6"}), "applied").await?;
    claims.shows_plan(&answered);
    claims.claim("the repository says 6", claims.replicas(UPF)? == 6);

    claims.chapter("One that is refused, whoever approves");
    let refused = story.say(claims, "scale upf-fixed to 3", "refused").await?;
    claims.shows_findings(&refused);
    claims.claim(
        "it was refused because of its fixed address",
        refused["findings"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["rule"] == "not_replicable")),
    );
    claims.claim("the repository says 1", claims.replicas("edge-bern/upf-fixed/deployment.yaml")? == 1);

    claims.chapter("One that needs approval, and gets it");
    let waiting = story.say(claims, "scale amf in core5g to 14", "awaiting_approval").await?;
    claims.shows_findings(&waiting);
    claims.claim("nothing was committed before", claims.replicas(AMF)? == 3);
    let hash = waiting["plan"]["hash"].as_str().unwrap_or_default();
    claims.say(&format!("approve --plan {hash}"));
    let approval = json!({"plan_hash": hash, "comment": "capacity test"});
    let approved = story.act(claims, &waiting, "approve", &approval, "applied").await?;
    claims.shows_plan(&approved);
    claims.claim("the repository says 14", claims.replicas(AMF)? == 14);

    claims.chapter("A rollback: the inverse plan through the same guard");
    let followed = story.follow(claims, &answered, "rollback", "applied").await?;
    claims.shows_plan(&followed);
    claims.claim("the repository says 5 again", claims.replicas(UPF)? == 5);
    let old = story.until(&answered, "rolled_back").await?;
    claims.claim("the old intent is rolled_back", old["state"] == "rolled_back");

    claims.chapter("A question about the network");
    let report = story.say(claims, "how many upf replicas are running in ran-a?", "answered").await?;
    claims.say(report["answer"].as_str().unwrap_or("no answer").trim());
    Ok(())
}
