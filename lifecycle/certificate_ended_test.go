package lifecycle

import (
	"strings"
	"testing"
	"time"
)

// TestACertificateThatHasEndedIsNotReplacedWellBefore: the advice is for now.
func TestACertificateThatHasEndedIsNotReplacedWellBefore(t *testing.T) {
	now := time.Date(2027, 2, 8, 0, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]string{-time.Hour: "Replace it now", 0: "Replace it now", 48 * time.Hour: "well before"} {
		h := HostState{Name: "c1", Certificates: []Certificate{{Name: "server", NotAfter: now.Add(left), Renewed: RenewedByHand}}}
		if ds := h.EndingCertificates("lab", now, false); len(ds) != 1 || !strings.Contains(ds[0].Hint, want) {
			t.Errorf("%s before its end: %+v", left, ds)
		}
	}
}
