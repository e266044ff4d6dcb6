package posix

// compareVersions is GNU's filevercmp, by which sort -V orders.
func compareVersions(a, b string) int {
	switch {
	case a == "" || b == "":
		return min(len(a), 1) - min(len(b), 1)
	case a[0] == '.' || b[0] == '.':
		if n := dotRank(a) - dotRank(b); n != 0 || dotRank(a) < 2 {
			return n
		}
	}
	ap, bp := versionPrefix(a), versionPrefix(b)
	if n := compareParts(ap, bp); n != 0 || ap == a && bp == b {
		return n
	}
	return compareParts(a, b)
}

// dotRank puts "." first, then "..", then other names with a leading dot, then other names.
func dotRank(s string) int {
	switch {
	case s == ".":
		return 0
	case s == "..":
		return 1
	case s[0] == '.':
		return 2
	}
	return 3
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// versionPrefix is a name without its suffixes, which are (\.[A-Za-z~][A-Za-z0-9~]*)*$.
func versionPrefix(s string) string {
	prefix := 0
	for i := 0; i < len(s); {
		i++
		prefix = i
		for i+1 < len(s) && s[i] == '.' && (isAlpha(s[i+1]) || s[i+1] == '~') {
			for i += 2; i < len(s) && (isAlpha(s[i]) || isDigit(s[i]) || s[i] == '~'); i++ {
			}
		}
	}
	return s[:prefix]
}

// versionOrder is the rank of a character that is no digit: "~" comes before the end, letters before all else.
func versionOrder(s string, i int) int {
	switch {
	case i >= len(s):
		return -1
	case isDigit(s[i]):
		return 0
	case isAlpha(s[i]):
		return int(s[i])
	case s[i] == '~':
		return -2
	}
	return int(s[i]) + 256
}

func compareParts(a, b string) int {
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		for i < len(a) && !isDigit(a[i]) || j < len(b) && !isDigit(b[j]) {
			if n := versionOrder(a, i) - versionOrder(b, j); n != 0 {
				return n
			}
			i++
			j++
		}
		for i < len(a) && a[i] == '0' {
			i++
		}
		for j < len(b) && b[j] == '0' {
			j++
		}
		diff := 0
		for i < len(a) && j < len(b) && isDigit(a[i]) && isDigit(b[j]) {
			if diff == 0 {
				diff = int(a[i]) - int(b[j])
			}
			i++
			j++
		}
		switch {
		case i < len(a) && isDigit(a[i]):
			return 1
		case j < len(b) && isDigit(b[j]):
			return -1
		case diff != 0:
			return diff
		}
	}
	return 0
}
