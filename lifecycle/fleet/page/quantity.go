package page

import (
	"fmt"
	"strconv"
	"strings"
)

// quantity reads an amount as Kubernetes prints it: "500m", "20", "36Gi", "1e3". False: it is none.
func quantity(s string) (float64, bool) {
	number := strings.TrimRight(s, "numkKMGTPEi")
	suffix := s[len(number):]
	if suffix == "" {
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil && n >= 0
	}
	scale, known := map[string]float64{"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60}[suffix]
	n, err := strconv.ParseFloat(number, 64)
	return n * scale, err == nil && known && n >= 0
}

// amount writes a sum for people: of bytes in the largest unit, of anything else as a number.
func amount(resource string, n float64) string {
	if !strings.Contains(resource, "memory") && !strings.Contains(resource, "storage") {
		return trimZero(n)
	}
	units := []string{"", " Ki", " Mi", " Gi", " Ti", " Pi"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	return trimZero(n) + units[i]
}

func trimZero(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") }
