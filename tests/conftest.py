pytest_plugins = [
    "tests.fix_opensearch",
]
