"""In the place of pytest's LogXML: takes what the fixtures record_testsuite_property and record_xml_attribute say.

Its family is one for which these fixtures warn of nothing: a result is kept for runs with --junitxml and for those
without it, in which pytest itself does not warn."""
try:
    from _pytest.junitxml import xml_key
except ImportError:
    xml_key = None


class Recorder:
    family = "xunit1"

    def __init__(self, config):
        self.config = config
        self.suite, self.attrs = [], []
        if xml_key is not None and config.pluginmanager.has_plugin("junitxml"):
            config.stash[xml_key] = self

    def add_global_property(self, name, value):
        self.suite.append([str(name), str(value)])

    def node_reporter(self, report, workernode=None):
        return self  # of the test that runs

    def add_attribute(self, name, value):
        self.attrs.append([str(name), str(value)])

    def any(self):
        return bool(self.suite or self.attrs)

    def take(self):
        """What has come since the last call, as parts of a *result* document."""
        found = {}
        if self.suite:
            found["suite"], self.suite = self.suite, []
        if self.attrs:
            found["attrs"], self.attrs = self.attrs, []
        return found

    def leave(self):
        """Before pytest's own plugin looks for what it has registered."""
        if self.config.stash.get(xml_key, None) is self:
            del self.config.stash[xml_key]
