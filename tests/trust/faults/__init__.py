"""An app that makes the product fail where a secret passes, one layer at a time, and hurry where it would wait.

A product runs with it by ``DJANGO_SETTINGS_MODULE=tests.trust.faults.settings``. ``run/fault`` in its data folder names
the layer that fails; without that file nothing does.
"""
