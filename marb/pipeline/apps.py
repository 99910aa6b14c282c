"""Django's entry in the list of apps."""

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "marb.pipeline"
    label = "pipeline"
    verbose_name = "Files"
