BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'photosearch.catalogue','create_tables','2026-11-24 08:59:09.458321+00:00');
CREATE TABLE embeddings (
            bundle_id TEXT NOT NULL,
            photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            PRIMARY KEY (bundle_id, photo_id)
        ) STRICT
        ;
INSERT INTO "embeddings" VALUES('tiny-1-0123456789ab',1,X'F83145B29A3BFB30');
INSERT INTO "embeddings" VALUES('tiny-1-0123456789ab',2,X'F0B4AA32023A5D38');
INSERT INTO "embeddings" VALUES('tiny-2-ba9876543210',1,X'DB3213388E3277BA');
INSERT INTO "embeddings" VALUES('tiny-2-ba9876543210',2,X'A6399235B3B64037');
CREATE TABLE folders (
            path TEXT PRIMARY KEY NOT NULL,
            added_at TEXT NOT NULL
        ) STRICT
        ;
INSERT INTO "folders" VALUES('/photos','2026-11-24T08:59:09+00:00');
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
        ;
INSERT INTO "photos" VALUES(1,'/photos/00000.jpg',1000,1700000000123456789,640,480,'JPEG','2026-11-24T08:59:09+00:00',0);
INSERT INTO "photos" VALUES(2,'/photos/00001.jpg',1000,1700000000123456789,640,480,'JPEG','2026-11-24T08:59:09+00:00',1);
INSERT INTO "photos" VALUES(3,'/photos/00002.jpg',1000,1700000000123456789,640,480,'JPEG','2026-11-24T08:59:09+00:00',0);
CREATE TABLE problems (
            path TEXT PRIMARY KEY NOT NULL,
            size INTEGER,
            mtime_ns INTEGER,
            reason TEXT NOT NULL,
            seen_at TEXT NOT NULL
        ) STRICT
        ;
INSERT INTO "problems" VALUES('/photos/bad.jpg',3,4,'is damaged','2026-11-24T08:59:09+00:00');
INSERT INTO "problems" VALUES('/photos/00002.jpg',9,9,'is cut short','2026-11-24T08:59:09+00:00');
CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
INSERT INTO "state" VALUES('generation','4');
INSERT INTO "state" VALUES('revision','a15e30de64e6afaa7f131385fa28c1f9');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX embeddings_photo_id ON embeddings (photo_id);
COMMIT;
