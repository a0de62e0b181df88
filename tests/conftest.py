pytest_plugins = [
    "tests.fix_cluster",
    "tests.fix_models",
    "tests.fix_clip",
    "tests.fix_opensearch",
    "tests.fix_server",
    "tests.fix_client",
    "tests.fix_browser",
]
