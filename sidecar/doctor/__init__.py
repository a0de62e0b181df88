"""Looks at what the sidecar needs - machine, settings, cluster, models - and says what is wrong and what to do.

It only reads: nothing is started, downloaded, repaired or removed. Each kind of check is a module, and a line of
`registry.CHECKS`.
"""
