"""The later steps by which the tables of the catalogue came about, each as it was released.

One that was released is never changed, for catalogues have taken it. A change of the schema is one
more, listed in migrations.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


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
            group_id INTEGER REFERENCES face_groups (id) ON DELETE SET NULL
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


def add_face_answers(db: Database) -> None:
    """Whether groups of faces are one person's, as somebody said, and at which moment of a video
    a face was found.

    A yes puts the faces of `other_id` into `group_id`: which these were, and what was refused of
    them for that, is kept so that it can be taken back. Videos are looked at again, since only
    their first frame was.
    """
    db.execute(
        """
        CREATE TABLE face_answers (
            group_id INTEGER NOT NULL REFERENCES face_groups (id) ON DELETE CASCADE,
            other_id INTEGER NOT NULL REFERENCES face_groups (id) ON DELETE CASCADE,
            answer TEXT NOT NULL CHECK (answer IN ('yes', 'no', 'unsure')),
            moved TEXT NOT NULL DEFAULT '[]',
            refused TEXT NOT NULL DEFAULT '[]',
            PRIMARY KEY (group_id, other_id)
        ) STRICT
        """
    )
    db.execute("CREATE INDEX face_answers_other_id ON face_answers (other_id)")
    db.execute("ALTER TABLE faces ADD COLUMN seconds REAL")
    db.execute(
        "DELETE FROM face_scans WHERE content_id IN "
        "(SELECT content_id FROM photos WHERE format = 'VIDEO')"
    )


def add_feed(db: Database) -> None:
    """Which photos changed, in order, for programs that follow: see `feed`.

    A number is never given twice, so that none comes before one that was told of already.
    """
    db.execute(
        """
        CREATE TABLE feed (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            photo_id INTEGER NOT NULL UNIQUE
        ) STRICT
        """
    )
    db.execute("INSERT INTO feed (photo_id) SELECT id FROM photos ORDER BY id")
    db.execute(
        "CREATE TABLE feed_states (generation INTEGER PRIMARY KEY, revision TEXT NOT NULL) STRICT"
    )
    db.execute(
        """
        INSERT INTO feed_states
        SELECT a.value + 0, b.value FROM state AS a, state AS b
        WHERE a.key = 'generation' AND b.key = 'revision'
        """
    )
    db.execute(
        """
        CREATE TRIGGER feed_state AFTER INSERT ON generations BEGIN
            DELETE FROM feed_states
            WHERE generation <= NEW.generation - 100000 OR generation >= NEW.generation;
            INSERT INTO feed_states VALUES (NEW.generation, NEW.revision);
        END
        """
    )
    # Not by a conflict: that clause gives way to the one of the statement that fires a trigger.
    note = """
        DELETE FROM feed WHERE photo_id = {photo};
        INSERT INTO feed (photo_id) VALUES ({photo});
    """
    for name, event, photo in (
        ("feed_photo_added", "INSERT ON photos", "NEW.id"),
        (
            "feed_photo_changed",
            "UPDATE OF path, content_id, missing ON photos WHEN OLD.path <> NEW.path "
            "OR OLD.content_id <> NEW.content_id OR OLD.missing <> NEW.missing",
            "NEW.id",
        ),
        ("feed_photo_removed", "DELETE ON photos", "OLD.id"),
        ("feed_metadata_added", "INSERT ON metadata", "NEW.photo_id"),
        (
            "feed_metadata_changed",
            "UPDATE ON metadata WHEN OLD.rating IS NOT NEW.rating "
            "OR OLD.keywords IS NOT NEW.keywords OR OLD.people IS NOT NEW.people "
            "OR OLD.regions IS NOT NEW.regions",
            "NEW.photo_id",
        ),
    ):
        db.execute(f"CREATE TRIGGER {name} AFTER {event} BEGIN {note.format(photo=photo)} END")
