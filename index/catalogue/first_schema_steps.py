"""The first steps by which the catalogue's tables came about, up to the frames of videos.

One that was released is never changed, for catalogues have taken it. A change of the schema is one
more in schema_steps.py, listed in migrations.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def create_tables(db: Database) -> None:
    """Photos, the folders they were looked for in, their embeddings, and files that failed."""
    db.execute(
        """
        CREATE TABLE folders (
            path TEXT PRIMARY KEY NOT NULL,
            added_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE photos (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            format TEXT NOT NULL,
            indexed_at TEXT NOT NULL,
            missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1))
        ) STRICT
        """
    )
    # With a rowid: WITHOUT ROWID would put each vector of 512 numbers on a page of its own.
    db.execute(
        """
        CREATE TABLE embeddings (
            bundle_id TEXT NOT NULL,
            photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            PRIMARY KEY (bundle_id, photo_id)
        ) STRICT
        """
    )
    db.execute("CREATE INDEX embeddings_photo_id ON embeddings (photo_id)")
    db.execute(
        """
        CREATE TABLE problems (
            path TEXT PRIMARY KEY NOT NULL,
            size INTEGER,
            mtime_ns INTEGER,
            reason TEXT NOT NULL,
            seen_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute("CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT")
    db.execute(
        """
        INSERT INTO state (key, value)
        VALUES ('generation', '0'), ('revision', lower(hex(randomblob(16))))
        """
    )


def add_contents(db: Database) -> None:
    """Embeddings belong to bytes rather than files, so that copies share them; metadata.

    Each photo recorded before gets a content of its own, whose digest is unknown.
    """
    db.execute("CREATE TABLE contents (id INTEGER PRIMARY KEY, digest BLOB UNIQUE) STRICT")
    db.execute("INSERT INTO contents (id) SELECT id FROM photos")
    db.execute(
        """
        CREATE TABLE shared (
            bundle_id TEXT NOT NULL,
            content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            PRIMARY KEY (bundle_id, content_id)
        ) STRICT
        """
    )
    db.execute("INSERT INTO shared SELECT bundle_id, photo_id, vector FROM embeddings")
    db.execute("DROP TABLE embeddings")
    db.execute("ALTER TABLE shared RENAME TO embeddings")
    db.execute("CREATE INDEX embeddings_content_id ON embeddings (content_id)")
    # A column that may not be NULL can only be added with a new table.
    db.execute(
        """
        CREATE TABLE files (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            format TEXT NOT NULL,
            indexed_at TEXT NOT NULL,
            missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
            content_id INTEGER NOT NULL REFERENCES contents (id),
            companions TEXT NOT NULL DEFAULT '[]'
        ) STRICT
        """
    )
    db.execute(
        """
        INSERT INTO files
        SELECT id, path, size, mtime_ns, width, height, format, indexed_at, missing, id, '[]'
        FROM photos
        """
    )
    db.execute("DROP TABLE photos")
    db.execute("ALTER TABLE files RENAME TO photos")
    db.execute("CREATE INDEX photos_content_id ON photos (content_id)")
    db.execute(
        """
        CREATE TABLE metadata (
            photo_id INTEGER PRIMARY KEY REFERENCES photos (id) ON DELETE CASCADE,
            taken_at TEXT,
            taken_offset_minutes INTEGER,
            taken_source TEXT CHECK (taken_source IN ('exif', 'xmp', 'name', 'mtime')),
            latitude REAL,
            longitude REAL,
            camera TEXT,
            lens TEXT,
            exposure_time REAL,
            f_number REAL,
            iso INTEGER,
            focal_length REAL,
            rating INTEGER,
            caption TEXT,
            keywords TEXT NOT NULL DEFAULT '[]',
            place TEXT
        ) STRICT
        """
    )
    db.execute("CREATE INDEX metadata_taken_at ON metadata (taken_at)")


def add_changes(db: Database) -> None:
    """Which photos changed in which generation, noted by triggers, and the generations' names."""
    db.execute(
        "CREATE TABLE generations (generation INTEGER PRIMARY KEY, revision TEXT NOT NULL) STRICT"
    )
    db.execute(
        """
        INSERT INTO generations
        SELECT a.value + 0, b.value FROM state AS a, state AS b
        WHERE a.key = 'generation' AND b.key = 'revision'
        """
    )
    # The id of a photo that was removed stays here.
    db.execute(
        "CREATE TABLE changes (photo_id INTEGER PRIMARY KEY, generation INTEGER NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX changes_generation ON changes (generation)")
    note = """
        INSERT INTO changes (photo_id, generation)
        SELECT {photo}, value + 1 FROM state WHERE key = 'generation'
        ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation
    """
    note_all = """
        INSERT INTO changes (photo_id, generation)
        SELECT photos.id, value + 1 FROM photos, state
        WHERE content_id = {content} AND key = 'generation'
        ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation
    """
    for name, event, statement in (
        ("photo_added", "INSERT ON photos", note.format(photo="NEW.id")),
        (
            "photo_changed",
            "UPDATE OF content_id, missing ON photos WHEN "
            "OLD.content_id <> NEW.content_id OR OLD.missing <> NEW.missing",
            note.format(photo="NEW.id"),
        ),
        ("photo_removed", "DELETE ON photos", note.format(photo="OLD.id")),
        ("vector_added", "INSERT ON embeddings", note_all.format(content="NEW.content_id")),
        (
            "vector_changed",
            "UPDATE OF vector ON embeddings",
            note_all.format(content="NEW.content_id"),
        ),
        ("vector_removed", "DELETE ON embeddings", note_all.format(content="OLD.content_id")),
    ):
        db.execute(f"CREATE TRIGGER {name} AFTER {event} BEGIN {statement}; END")


def add_metadata_state(db: Database) -> None:
    """A note of what metadata was read from, so that it can be read again when that changes."""
    db.execute("ALTER TABLE metadata ADD COLUMN state TEXT NOT NULL DEFAULT ''")


def add_live_ids(db: Database) -> None:
    """The name that the still and the video of a Live Photo share."""
    db.execute("ALTER TABLE metadata ADD COLUMN live_id TEXT")
    db.execute("CREATE INDEX metadata_live_id ON metadata (live_id) WHERE live_id IS NOT NULL")


def add_albums(db: Database) -> None:
    """Albums, of which the first holds the favourites, and the photos in them by their bytes."""
    db.execute(
        """
        CREATE TABLE albums (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            made_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute("INSERT INTO albums (id, name, made_at) VALUES (1, '', datetime('now'))")
    db.execute(
        """
        CREATE TABLE album_photos (
            album_id INTEGER NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
            digest BLOB NOT NULL,
            added_at TEXT NOT NULL,
            PRIMARY KEY (album_id, digest)
        ) STRICT
        """
    )
    db.execute("CREATE INDEX album_photos_digest ON album_photos (digest)")
    db.execute(
        """
        CREATE TRIGGER album_photo_edited AFTER UPDATE OF content_id ON photos
        WHEN OLD.content_id <> NEW.content_id
        BEGIN
            INSERT OR IGNORE INTO album_photos (album_id, digest, added_at)
            SELECT album_id, after.digest, added_at
            FROM contents AS before
                JOIN album_photos ON album_photos.digest = before.digest
                JOIN contents AS after ON after.id = NEW.content_id
            WHERE before.id = OLD.content_id AND after.digest IS NOT NULL;
        END
        """
    )


def add_saved_searches(db: Database) -> None:
    """Searches that were given a name."""
    db.execute(
        """
        CREATE TABLE saved_searches (
            name TEXT PRIMARY KEY NOT NULL COLLATE NOCASE,
            text TEXT NOT NULL,
            sort TEXT NOT NULL
        ) STRICT
        """
    )


def add_readings(db: Database) -> None:
    """The text read in photos, by their bytes, and an index of its letters, three at a time."""
    db.execute(
        """
        CREATE TABLE readings (
            content_id INTEGER PRIMARY KEY REFERENCES contents (id) ON DELETE CASCADE,
            text TEXT NOT NULL,
            folded TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE VIRTUAL TABLE reading_words USING fts5 (
            folded, content = 'readings', content_rowid = 'content_id', tokenize = 'trigram'
        )
        """
    )
    take = (
        "INSERT INTO reading_words (reading_words, rowid, folded) "
        "VALUES ('delete', OLD.content_id, OLD.folded)"
    )
    put = "INSERT INTO reading_words (rowid, folded) VALUES (NEW.content_id, NEW.folded)"
    for name, event, statements in (
        ("reading_added", "INSERT", put),
        ("reading_changed", "UPDATE", f"{take}; {put}"),
        ("reading_removed", "DELETE", take),
    ):
        db.execute(f"CREATE TRIGGER {name} AFTER {event} ON readings BEGIN {statements}; END")


def add_frames(db: Database) -> None:
    """Vectors of the frames of videos, beside the one that stands for the video."""
    db.execute(
        """
        CREATE TABLE frames (
            bundle_id TEXT NOT NULL,
            content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            seconds REAL NOT NULL,
            vector BLOB NOT NULL,
            PRIMARY KEY (bundle_id, content_id, number)
        ) STRICT
        """
    )
    db.execute("CREATE INDEX frames_content_id ON frames (content_id)")
