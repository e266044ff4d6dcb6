// Package backup keeps backups of control planes: it names them, encrypts them with age, reads each again before it counts, removes those
// that are too many or too old, and opens them for a restore. It knows neither machines nor clusters: bytes come in and go out.
package backup
