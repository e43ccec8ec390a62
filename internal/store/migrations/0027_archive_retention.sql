-- The archive follows each merchant's retention (internal/archive/erase.ts).

-- Rows of merchants that keep so many days or fewer are out of an object, and out of what was set aside.
ALTER TABLE archive_objects ADD COLUMN expired_days integer NOT NULL DEFAULT 0;
