"""The steps by which the tables of the catalogue came about, each as it was released.

One that was released is never changed, for catalogues have taken it. A change of the schema is one
more, listed in migrations.py.
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


def add_filter_indexes(db: Database) -> None:
    """What filters ask about, each with nothing but the ids beside it."""
    for name, what in (
        ("photos_missing", "photos (missing)"),
        ("photos_format", "photos (format)"),
        ("photos_shape", "photos (width, height)"),
        ("metadata_place", "metadata (place)"),
        ("metadata_camera", "metadata (camera)"),
        ("metadata_lens", "metadata (lens)"),
        ("metadata_rating", "metadata (rating)"),
        ("metadata_position", "metadata (latitude, longitude)"),
        ("photos_not_ascii", "photos (path) WHERE length(path) <> length(CAST(path AS BLOB))"),
        # Of the others no caption or keyword has to be read.
        (
            "metadata_words",
            "metadata (photo_id) WHERE caption IS NOT NULL OR keywords <> '[]'",
        ),
    ):
        db.execute(f"CREATE INDEX {name} ON {what}")


def cover_words(db: Database) -> None:
    """Captions and keywords beside each other, without the rows of metadata between them."""
    db.execute("DROP INDEX metadata_words")
    db.execute(
        "CREATE INDEX metadata_words ON metadata (photo_id, caption, keywords) "
        "WHERE caption IS NOT NULL OR keywords <> '[]'"
    )


def add_sources_of_dates(db: Database) -> None:
    """Dates from more sources, the names of people, and what was somebody's favourite elsewhere.

    A file's time of change is no date any more.
    """
    db.execute("ALTER TABLE metadata RENAME COLUMN taken_source TO source_of_before")
    db.execute("ALTER TABLE metadata ADD COLUMN taken_source TEXT")
    db.execute("UPDATE metadata SET taken_source = source_of_before")
    db.execute("ALTER TABLE metadata DROP COLUMN source_of_before")
    db.execute("UPDATE metadata SET taken_at = NULL WHERE taken_source = 'mtime'")
    db.execute("ALTER TABLE metadata ADD COLUMN people TEXT NOT NULL DEFAULT '[]'")
    db.execute("ALTER TABLE metadata ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0")


def add_others(db: Database) -> None:
    """How many files of other kinds each folder has, and what decoders printed of problems."""
    db.execute(
        """
        CREATE TABLE others (
            path TEXT NOT NULL,
            suffix TEXT NOT NULL,
            files INTEGER NOT NULL,
            PRIMARY KEY (path, suffix)
        ) STRICT
        """
    )
    db.execute("ALTER TABLE problems ADD COLUMN printed TEXT NOT NULL DEFAULT ''")


def add_looks(db: Database) -> None:
    """How pictures look, by their bytes; empty where that is not told, as of videos."""
    db.execute(
        """
        CREATE TABLE looks (
            content_id INTEGER PRIMARY KEY REFERENCES contents (id) ON DELETE CASCADE,
            look BLOB NOT NULL
        ) STRICT
        """
    )


def fold_readings_again(db: Database) -> None:
    """Texts with quotes, dashes and letters such as a Polish l are compared otherwise now."""
    from index.catalogue.readings import plain

    rows = db.execute("SELECT content_id, text, folded FROM readings").fetchall()
    for content, text, before in rows:
        now = before if text.isascii() else plain(text)
        if now != before:
            db.execute("UPDATE readings SET folded = ? WHERE content_id = ?", [now, content])


def add_marks(db: Database) -> None:
    """Stars and keywords that the user gives photos, by their bytes, apart from what is read."""
    db.execute(
        """
        CREATE TABLE own_ratings (
            digest BLOB PRIMARY KEY NOT NULL,
            stars INTEGER NOT NULL CHECK (stars BETWEEN 0 AND 5)
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE own_keywords (
            digest BLOB NOT NULL,
            keyword TEXT NOT NULL,
            there INTEGER NOT NULL CHECK (there IN (0, 1)),
            PRIMARY KEY (digest, keyword)
        ) STRICT
        """
    )
    # As JSON what was read of a photo with marks, in whose place rating and keywords stand then.
    db.execute("ALTER TABLE metadata ADD COLUMN as_read TEXT")
    db.execute(
        """
        CREATE TRIGGER marked_photo_edited AFTER UPDATE OF content_id ON photos
        WHEN OLD.content_id <> NEW.content_id
        BEGIN
            INSERT OR IGNORE INTO own_ratings (digest, stars)
            SELECT after.digest, stars
            FROM contents AS before
                JOIN own_ratings ON own_ratings.digest = before.digest
                JOIN contents AS after ON after.id = NEW.content_id
            WHERE before.id = OLD.content_id AND after.digest IS NOT NULL;
            INSERT OR IGNORE INTO own_keywords (digest, keyword, there)
            SELECT after.digest, keyword, there
            FROM contents AS before
                JOIN own_keywords ON own_keywords.digest = before.digest
                JOIN contents AS after ON after.id = NEW.content_id
            WHERE before.id = OLD.content_id AND after.digest IS NOT NULL;
        END
        """
    )


def add_verdicts(db: Database) -> None:
    """Which photos are right for a query, and what each bundle learned from that."""
    db.execute(
        """
        CREATE TABLE verdicts (
            query TEXT NOT NULL COLLATE NOCASE,
            digest BLOB NOT NULL,
            fits INTEGER NOT NULL CHECK (fits IN (0, 1)),
            locale TEXT NOT NULL,
            given_at TEXT NOT NULL,
            PRIMARY KEY (query, digest)
        ) STRICT
        """
    )
    db.execute("CREATE INDEX verdicts_digest ON verdicts (digest)")
    db.execute(
        """
        CREATE TABLE tunings (
            bundle_id TEXT PRIMARY KEY NOT NULL,
            layer BLOB NOT NULL,
            verdicts INTEGER NOT NULL,
            made_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TRIGGER judged_photo_edited AFTER UPDATE OF content_id ON photos
        WHEN OLD.content_id <> NEW.content_id
        BEGIN
            INSERT OR IGNORE INTO verdicts (query, digest, fits, locale, given_at)
            SELECT query, after.digest, fits, locale, given_at
            FROM contents AS before
                JOIN verdicts ON verdicts.digest = before.digest
                JOIN contents AS after ON after.id = NEW.content_id
            WHERE before.id = OLD.content_id AND after.digest IS NOT NULL;
        END
        """
    )


def add_people(db: Database) -> None:
    """Where faces are in photos, and what the user says of the people in them.

    In the files people are names. One gets a row when the user says something of them: by what name
    to show them, which names are theirs, in what group they are, and whether to show them at all.
    """
    db.execute("ALTER TABLE metadata ADD COLUMN regions TEXT NOT NULL DEFAULT '[]'")
    db.execute("CREATE INDEX metadata_regions ON metadata (photo_id) WHERE regions <> '[]'")
    db.execute(
        """
        CREATE TABLE people (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            above TEXT,
            hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1))
        ) STRICT
        """
    )
    # By the key of a name, which is the same however its case and accents are written.
    db.execute(
        """
        CREATE TABLE people_names (
            key TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL,
            person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE
        ) STRICT
        """
    )
    db.execute("CREATE INDEX people_names_person_id ON people_names (person_id)")


def add_faces(db: Database) -> None:
    """Faces that were looked for, when somebody asked for it: by the bytes of photos, and by model.

    Those of one person are in one or more groups, which have the person's name when it is known.
    """
    db.execute(
        """
        CREATE TABLE face_scans (
            content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
            model TEXT NOT NULL,
            PRIMARY KEY (content_id, model)
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE face_groups (
            id INTEGER PRIMARY KEY,
            name TEXT,
            hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1))
        ) STRICT
        """
    )
    # `sure` where the user said whose face it is.
    db.execute(
        """
        CREATE TABLE faces (
            id INTEGER PRIMARY KEY,
            content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
            model TEXT NOT NULL,
            x REAL NOT NULL,
            y REAL NOT NULL,
            width REAL NOT NULL,
            height REAL NOT NULL,
            landmarks BLOB NOT NULL,
            score REAL NOT NULL,
            side REAL NOT NULL,
            sharp REAL NOT NULL,
            vector BLOB NOT NULL,
            group_id INTEGER REFERENCES face_groups (id) ON DELETE SET NULL,
            sure INTEGER NOT NULL DEFAULT 0 CHECK (sure IN (0, 1))
        ) STRICT
        """
    )
    db.execute("CREATE INDEX faces_content_id ON faces (content_id)")
    db.execute("CREATE INDEX faces_group_id ON faces (group_id)")
    # Whose face it is not.
    db.execute(
        """
        CREATE TABLE face_refusals (
            face_id INTEGER NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
            group_id INTEGER NOT NULL REFERENCES face_groups (id) ON DELETE CASCADE,
            PRIMARY KEY (face_id, group_id)
        ) STRICT
        """
    )
