//! Reads git objects through one long-lived `git cat-file --batch-command`.
//!
//! The process belongs to one task; whatever waits is asked in one go. When it dies
//! it is started again, and the questions are asked once more.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

use super::Error;
use super::git::{Complaints, Git, Process};

/// Of one round: a round is at most `ROUND` small files.
const PATIENCE: Duration = Duration::from_secs(20);

/// Questions written before answers are read. 48 questions of at most 1 KiB fit into a pipe
/// (64 KiB), so writing never waits for somebody to read.
const ROUND: usize = 48;

/// Longest question.
const LONGEST: usize = 1024;

/// Largest file of a package.
pub(super) const MOST_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) id: String,
    pub(super) kind: String,
    /// Empty when only its id was asked for.
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug)]
struct Request {
    questions: Vec<Question>,
    reply: oneshot::Sender<Result<Vec<Answer>, Error>>,
}

#[derive(Debug, Clone)]
enum Question {
    Info(String),
    Contents(String),
}

impl Question {
    fn name(&self) -> &str {
        match self {
            Self::Info(name) | Self::Contents(name) => name,
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Info(name) => format!("info {name}\n"),
            Self::Contents(name) => format!("contents {name}\n"),
        }
    }
}

/// Handle of the task that reads.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    requests: mpsc::Sender<Request>,
}

impl Reader {
    pub(super) fn start(git: Git) -> Self {
        // 256: more than all workers and the page ask at once; whoever comes then waits.
        let (requests, inbox) = mpsc::channel(256);
        tokio::spawn(answer(git, inbox));
        Self { requests }
    }

    /// The commit that a reference or name stands for.
    pub(super) async fn id(&self, name: &str) -> Result<Option<String>, Error> {
        let found = self.ask(vec![Question::Info(name.to_owned())]).await?;
        Ok(found.into_iter().next().flatten().map(|object| object.id))
    }

    /// The objects of several names (`<commit>:<path>` or ids), in order.
    pub(super) async fn contents(&self, names: Vec<String>) -> Result<Vec<Option<Object>>, Error> {
        self.ask(names.into_iter().map(Question::Contents).collect()).await
    }

    /// The same, where one object that is too large is no reason to do without the others.
    pub(super) async fn contents_each(&self, names: Vec<String>) -> Result<Vec<Answer>, Error> {
        self.ask_each(names.into_iter().map(Question::Contents).collect()).await
    }

    async fn ask(&self, questions: Vec<Question>) -> Result<Vec<Option<Object>>, Error> {
        self.ask_each(questions).await?.into_iter().collect()
    }

    async fn ask_each(&self, questions: Vec<Question>) -> Result<Vec<Answer>, Error> {
        if let Some(odd) = questions
            .iter()
            .find(|question| question.name().len() > LONGEST || question.name().contains(['\n', '\r', '\0']))
        {
            return Err(Error::Git {
                doing: "cat-file".to_owned(),
                detail: format!(
                    "{:?} is no name of an object",
                    odd.name().chars().take(80).collect::<String>()
                ),
            });
        }
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { questions, reply }).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

/// Ends when the last handle is gone, and the process with it.
async fn answer(git: Git, mut inbox: mpsc::Receiver<Request>) {
    let mut live: Option<CatFile> = None;
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, ROUND).await > 0 {
        let questions: Vec<Question> =
            waiting.iter().flat_map(|request: &Request| request.questions.iter().cloned()).collect();
        let answers = ask_all(&git, &mut live, &questions).await;
        match answers {
            Ok(answers) => {
                let mut answers = answers.into_iter();
                for request in waiting.drain(..) {
                    let own = answers.by_ref().take(request.questions.len()).collect();
                    let _ = request.reply.send(Ok(own));
                }
            }
            Err(error) => {
                for request in waiting.drain(..) {
                    let _ = request.reply.send(Err(error.clone()));
                }
            }
        }
    }
}

/// None: there is no such object.
pub(super) type Answer = Result<Option<Object>, Error>;

async fn ask_all(
    git: &Git,
    live: &mut Option<CatFile>,
    questions: &[Question],
) -> Result<Vec<Answer>, Error> {
    let mut answers = Vec::with_capacity(questions.len());
    for round in questions.chunks(ROUND) {
        // Twice: the process may have died since the last question, or been left with the
        // packs of a repository that was replaced.
        let mut attempts = 2;
        loop {
            attempts -= 1;
            let cat_file = match live.take() {
                Some(cat_file) => cat_file,
                None => CatFile::start(git)?,
            };
            match tokio::time::timeout(PATIENCE, cat_file.round(round)).await {
                Ok(Ok((cat_file, round_answers))) => {
                    *live = Some(cat_file);
                    answers.extend(round_answers);
                    break;
                }
                Ok(Err(_)) if attempts > 0 => {}
                Ok(Err(complaint)) => return Err(git.explain("cat-file", &complaint)),
                Err(_) => {
                    return Err(Error::Timeout { doing: "cat-file".to_owned(), seconds: PATIENCE.as_secs() });
                }
            }
        }
    }
    Ok(answers)
}

struct CatFile {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    complaints: Complaints,
}

impl CatFile {
    fn start(git: &Git) -> Result<Self, Error> {
        let mut process = git.spawn(&["cat-file", "--batch-command"])?;
        let complaints = process.listen();
        match (process.child.stdin.take(), process.child.stdout.take()) {
            (Some(stdin), Some(stdout)) => {
                Ok(Self { process, stdin, stdout: BufReader::with_capacity(32 << 10, stdout), complaints })
            }
            _ => Err(Error::Git { doing: "cat-file".to_owned(), detail: "it has no pipes".to_owned() }),
        }
    }

    /// Gives the process back only when it answered everything: a stream that broke in the
    /// middle is never read on.
    async fn round(mut self, questions: &[Question]) -> Result<(Self, Vec<Answer>), String> {
        let mut answers = Vec::with_capacity(questions.len());
        match self.exchange(questions, &mut answers).await {
            Ok(()) => Ok((self, answers)),
            Err(error) => {
                drop(self.stdin);
                // Its last words come with its end.
                let _ = tokio::time::timeout(Duration::from_secs(2), self.process.wait()).await;
                tokio::task::yield_now().await;
                let said = self.complaints.take();
                Err(if said.is_empty() { error.to_string() } else { said })
            }
        }
    }

    async fn exchange(&mut self, questions: &[Question], answers: &mut Vec<Answer>) -> std::io::Result<()> {
        let lines: String = questions.iter().map(Question::line).collect();
        self.stdin.write_all(lines.as_bytes()).await?;
        for question in questions {
            answers.push(self.read_answer(question).await?);
        }
        Ok(())
    }

    async fn read_answer(&mut self, question: &Question) -> std::io::Result<Answer> {
        let mut line = Vec::new();
        // A question comes back in the answer when the object is missing.
        let mut limited = (&mut self.stdout).take(LONGEST as u64 + 128);
        limited.read_until(b'\n', &mut line).await?;
        if line.pop() != Some(b'\n') {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.split(' ');
        let (Some(id), Some(kind), Some(size), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Ok(Ok(None));
        };
        let (true, Ok(size)) = (is_id(id), size.parse::<usize>()) else {
            return Ok(Ok(None));
        };
        let mut object = Object { id: id.to_owned(), kind: kind.to_owned(), bytes: Vec::new() };
        if matches!(question, Question::Info(_)) {
            return Ok(Ok(Some(object)));
        }
        if size > MOST_BYTES {
            let mut rest = (&mut self.stdout).take(size as u64 + 1);
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
            return Ok(Err(Error::TooLarge { what: question.name().to_owned(), limit: MOST_BYTES }));
        }
        object.bytes.resize(size, 0);
        self.stdout.read_exact(&mut object.bytes).await?;
        if self.stdout.read_u8().await? != b'\n' {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        Ok(Ok(Some(object)))
    }
}

/// SHA-1 or SHA-256 in hex.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
