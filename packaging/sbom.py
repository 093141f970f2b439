"""Writes what the app is made of as a CycloneDX bill of materials: python packaging/sbom.py FILE.

Of each package the name, version, licence and address at PyPI; of each bundled model its hashes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from photosearch.licences import NAME, components

MODELS = Path(__file__).parents[1] / "assets" / "models"


def bill() -> Bom:
    """photosearch, the packages that it needs or uses here, and the models that come with it."""
    factory, bom = LicenseFactory(), Bom()
    made = [
        Component(
            name=one.name,
            version=one.version,
            type=ComponentType.APPLICATION if one.name == NAME else ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, one.name, one.version),
            bom_ref=one.name,
            licenses=[factory.make_from_string(one.licence)],
        )
        for one in components()
    ]
    bom.metadata.component, others = made[0], made[1:]
    for manifest in sorted(MODELS.glob("*/bundle.json")):
        others.append(_model(manifest, factory))
    bom.components.update(others)
    bom.register_dependency(made[0], others)
    return bom


def _model(manifest: Path, factory: LicenseFactory) -> Component:
    said = json.loads(manifest.read_text(encoding="utf-8"))
    files = [
        Component(
            name=name,
            type=ComponentType.FILE,
            bom_ref=f"{said['name']}/{name}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=about["sha256"])],
        )
        for name, about in sorted(said["files"].items())
    ]
    return Component(
        name=said["name"],
        version=said["version"],
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=said["name"],
        licenses=[factory.make_from_string(said["licence"])],
        components=files,
    )


if __name__ == "__main__":
    writer = make_outputter(bill(), OutputFormat.JSON, SchemaVersion.V1_6)
    writer.output_to_file(sys.argv[1], allow_overwrite=True, indent=2)
