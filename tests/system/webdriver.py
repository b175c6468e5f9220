"""As much of the WebDriver protocol (W3C) as the page's test needs, over chromedriver's HTTP."""
import json
import shutil
import subprocess
import tempfile
import urllib.request

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--window-size=1200,800"]
KEYS = {"Down": "\ue015", "Up": "\ue013", "PageDown": "\ue00f", "End": "\ue010", "Home": "\ue011", "Enter": "\ue007",
        "Right": "\ue014", "Left": "\ue012", "Tab": "\ue004", "Escape": "\ue00c"}


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="fastest-chromium")
        self.process = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = next(line.rsplit(" ", 1)[1].strip(" .\n") for line in self.process.stdout if "started successfully on port" in line)
        self.base = "http" "://127.0.0.1:%s/session" % port
        options = {"binary": CHROMIUM, "args": FLAGS + ["--user-data-dir=" + self.profile]}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options}}
        self.base += "/" + self.call("POST", "", {"capabilities": capabilities})["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def keys(self, *names):
        actions = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def close(self):
        self.call("DELETE", "")
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)
