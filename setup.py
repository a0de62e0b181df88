"""All of the distribution's facts stand in ``setup.cfg``."""

from setuptools import setup

setup()
