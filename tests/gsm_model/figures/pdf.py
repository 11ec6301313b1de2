"""What a PDF reader finds in a figure."""

import io

from pypdf import PdfReader


def read_pdf(content: bytes) -> tuple[float, list[tuple[str, bool]], set[float]]:
    """Of a PDF's page its width in points, each font's kind and whether it is embedded, and the
    sizes its text is set in.
    """
    page = PdfReader(io.BytesIO(content)).pages[0]
    fonts = [
        font.get_object()["/DescendantFonts"][0].get_object()
        for font in page["/Resources"]["/Font"].values()
    ]
    sizes = set()
    page.extract_text(
        visitor_text=lambda text, _, matrix, __, size: (
            sizes.add(round(size * matrix[3], 2)) if text.strip() else None
        )
    )
    return (
        float(page.mediabox.width),
        [(font["/Subtype"], "/FontFile2" in font["/FontDescriptor"]) for font in fonts],
        sizes,
    )
