//! Looks into a store without taking it: beside a running operator, or after one.

use std::io;
use std::path::Path;

use nephoran_model::intent::IntentId;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::schema::{self, Files};
use super::{AuditEntry, AuditHead, Error, Verification, audit, complaints, read};

/// Reads only; leaves even the journal as it is.
pub struct Look {
    connection: Connection,
}

impl Look {
    /// A folder without a store is an error: nothing is made.
    pub fn into_folder(folder: &Path) -> Result<Self, Error> {
        let files = Files::of(folder);
        if !files.database.exists() {
            let source = io::Error::new(io::ErrorKind::NotFound, "there is no store in it");
            return Err(Error::Folder { folder: folder.to_owned(), source });
        }
        let connection = schema::open_look(&files)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|source| Error::Open { file: files.database, source })?;
        Ok(Self { connection })
    }

    /// Looks at every page; empty when the file is sound.
    pub fn complaints(&self) -> Result<Vec<String>, Error> {
        complaints(&self.connection, "integrity_check")
            .map_err(|source| Error::Read { what: "check the store", source })
    }

    pub fn verify_audit(&self, known: &[AuditHead]) -> Result<Verification, Error> {
        audit::verify(&self.connection, known)
    }

    /// Entries after the number `after`, oldest first: of one intent, or of all.
    pub fn audit(&self, id: Option<&IntentId>, after: u64, limit: usize) -> Result<Vec<AuditEntry>, Error> {
        let failed = |source| Error::Read { what: "read the audit trail", source };
        match id {
            None => audit::entries(&self.connection, after, limit).map_err(failed),
            Some(id) => {
                let last = read::last_audit(&self.connection, id)?
                    .ok_or_else(|| Error::Unknown { id: id.clone() })?;
                audit::entries_of(&self.connection, last, after, limit).map_err(failed)
            }
        }
    }
}
