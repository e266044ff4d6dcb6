// Package drill restores a site's backup in a lab, and says whether that brought back what was to be in it.
//
//	backup --verify--> parts --lab, restore--> API --read back, compare--> lifecycle.Drill --record--> proven
//
// What can be told of a backup without starting it is package backup's; the lab and what declares it are package twin's. Nothing of the
// site is touched.
package drill
