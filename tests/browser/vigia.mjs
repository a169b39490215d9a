// The Vigía that is looked at: the one that VIGIA_DEMO names, else one of our own in a temporary folder.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the programs under test lie. */
export const binaries = () => process.env.VIGIA_BIN ?? `${root}build/release/bin`;

/** Waits for a true value of `probe`; fails, naming `what`, when the time is over. */
export async function waitFor(what, probe, seconds) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < deadline) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await pause(250); // each look at a page costs the browser, and it is what is waited for
  }
  throw new Error(`${what}: not within ${seconds} s (last: ${last})`);
}

async function startOwn() {
  const python = process.env.VIGIA_PYTHON ?? `${root}.vigia/venv/bin/python`;
  const child = spawn(python, ["tests/browser/serve.py"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      PYTHONPATH: `${root}tools:${root}tests/integration`,
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  const lines = createInterface(child.stdout);
  const ends = Promise.race([
    once(child, "error").then(([error]) => Promise.reject(error)),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`serve.py ended with ${code}`))),
  ]);
  ends.catch(() => {}); // told to whoever waits for a line then
  const nextLine = () => Promise.race([once(lines, "line").then(([text]) => text), ends]);
  return {
    file: await nextLine(),
    /** Stops or starts one of the provider's parts: `stop collector`. */
    async order(words) {
      const answer = nextLine();
      child.stdin.write(`${words}\n`);
      await answer;
    },
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** One agent's process: killed by its id, started again exactly as it was. */
class Agent {
  constructor(description, save) {
    Object.assign(this, description);
    this.save = save;
  }

  /** kill -9; remembers the command line and the environment before it is gone. */
  async kill() {
    const read = (name) =>
      readFileSync(`/proc/${this.pid}/${name}`, "utf8").split("\0").filter(Boolean);
    this.words = read("cmdline");
    if (!this.words[0].endsWith("vigia-agent")) throw new Error(`${this.pid} is no agent`);
    this.environment = Object.fromEntries(
      read("environ").map((pair) => [
        pair.slice(0, pair.indexOf("=")),
        pair.slice(pair.indexOf("=") + 1),
      ]),
    );
    process.kill(this.pid, "SIGKILL");
    await waitFor("the killed agent's /health is silent", async () => !(await this.answers()), 10);
  }

  async answers() {
    try {
      return (await fetch(this.health)).ok;
    } catch {
      return false;
    }
  }

  async start() {
    const [program, ...rest] = this.words;
    const child = spawn(program, rest, {
      cwd: root,
      env: this.environment,
      stdio: "ignore",
      detached: true,
    });
    child.unref();
    this.pid = child.pid;
    this.save();
    await waitFor("the agent is back", () => this.answers(), 20);
  }

  end() {
    process.kill(this.pid, "SIGKILL");
  }
}

/** Addresses, log-ins and agents; `stop` ends what was started here. */
export async function vigia() {
  const given = process.env.VIGIA_DEMO;
  const own = given === undefined ? await startOwn() : null;
  const file = given ?? own.file;
  const demo = JSON.parse(readFileSync(file, "utf8"));
  const save = () => {
    demo.agents = agents.map(({ customer_id, node_id, health, pid }) => ({
      customer_id,
      node_id,
      health,
      pid,
    }));
    writeFileSync(file, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
  };
  const agents = demo.agents.map((description) => new Agent(description, save));
  return {
    ...demo,
    agents,
    /** Nothing where the Vigía is not our own: `VIGIA_DEMO`. */
    order: own?.order,
    async stop() {
      if (own === null) return;
      for (const agent of agents) if (agent.words !== undefined) agent.end();
      await own.stop();
    },
  };
}
