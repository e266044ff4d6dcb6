// Package depot keeps files in places that outlive the machine that runs kiban: an S3 bucket, a folder of an SFTP host, an OCI repository,
// a mounted folder. All behave alike, which one suite of tests holds of each.
package depot
