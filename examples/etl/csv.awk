# Reads CSV with a line of names first, writes one JSON object a line; an empty cell is no member.
# Cells are without quotes: a line that has one, or more cells than names, is an error.
function fail(why) {
  print FILENAME ":" FNR ": " why > "/dev/stderr"
  exit 1
}
BEGIN { FS = "," }
{ sub(/\r$/, "") }
/"/ { fail("this reader knows no quotes") }
FNR == 1 {
  names = split($0, name, ",")
  next
}
NF > names { fail(NF " cells, " names " names") }
{
  row = ""
  for (i = 1; i <= NF; i++)
    if ($i != "") {
      gsub(/\\/, "\\\\", $i)
      row = row (row == "" ? "" : ", ") "\"" name[i] "\": \"" $i "\""
    }
  print "{" row "}"
}
