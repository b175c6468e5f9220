"""What pytest-timeout declares, for an interpreter without it: its options, ini names and marker. Who enforces them is
runtime/worker/limits.py. The probe and the zygote give it to pytest as a plugin."""


def _taken(parser):
    """Names of all options so far."""
    known = parser._getparser() if hasattr(parser, "_getparser") else parser.optparser  # pytest 9.2: the latter
    return set(known._option_string_actions)


def stand_in():
    import pytest

    class StandIn:
        options = (("--timeout", float, "seconds after which a test has failed (default: `timeout` of the ini file)"),
                   ("--timeout-method", str, "for pytest-timeout's sake: there is one way only"))
        names = ("timeout", "timeout_method", "timeout_func_only", "timeout_disable_debugger_detection")
        marker = "timeout(timeout, method=None, func_only=False): seconds after which the test has failed"
        ours = False

        @pytest.hookimpl(hookwrapper=True)
        def pytest_load_initial_conftests(self, parser):
            """When all others have declared theirs: an option that is there stays what it is."""
            yield
            if "--timeout" in _taken(parser):
                return
            self.ours = True
            group = parser.getgroup("timeout")
            for name, kind, text in self.options:
                group.addoption(name, type=kind, help=text)
            for name in self.names:
                if name not in parser._inidict:
                    parser.addini(name, name, type="bool" if name.endswith(("only", "detection")) else None)

        def pytest_configure(self, config):
            if self.ours:
                config.addinivalue_line("markers", self.marker)

    return StandIn()
