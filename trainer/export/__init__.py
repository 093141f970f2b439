"""Export: trained towers become a model bundle that photosearch reads, checked against PyTorch."""

from trainer.export.bundle import annotate_bundle, export_bundle
from trainer.export.errors import ExportError
from trainer.export.report import ExportReport

__all__ = ["ExportError", "ExportReport", "annotate_bundle", "export_bundle"]
