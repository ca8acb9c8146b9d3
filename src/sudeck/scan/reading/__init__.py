"""From DICOM files to audited acquisitions: counts, frames, clock, sides."""
