"""Small products as data providers deliver them, built to the structure of their formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal, osr

ORIGIN = (740000.0, 7200000.0)  # EPSG:32721, near 54.6° W 25.3° S
EPSG = 32721
DIMAP_ROWS, DIMAP_COLUMNS = 40, 50
SCENE_METRES = 600

_DIMAP = """<?xml version="1.0" encoding="UTF-8"?>
<Dimap_Document>
 <Metadata_Identification><METADATA_FORMAT version="2.15">DIMAP</METADATA_FORMAT></Metadata_Identification>
 <Dataset_Identification><DATASET_NAME>DS_TEST</DATASET_NAME></Dataset_Identification>
 <Coordinate_Reference_System><Projected_CRS>
  <PROJECTED_CRS_NAME>WGS 84 / UTM zone 21S</PROJECTED_CRS_NAME>
  <PROJECTED_CRS_CODE>urn:ogc:def:crs:EPSG::{epsg}</PROJECTED_CRS_CODE>
 </Projected_CRS></Coordinate_Reference_System>
 <Geoposition><Geoposition_Insert><ULXMAP>740000</ULXMAP><ULYMAP>7200000</ULYMAP><XDIM>2</XDIM><YDIM>2</YDIM>
 </Geoposition_Insert></Geoposition>
 <Raster_Data>
  <Data_Access><DATA_FILE_FORMAT>image/{kind}</DATA_FILE_FORMAT><Data_Files>
   <Data_File tile_R="1" tile_C="1"><DATA_FILE_PATH href="{image}"/></Data_File>
  </Data_Files></Data_Access>
  <Raster_Dimensions><NROWS>40</NROWS><NCOLS>50</NCOLS><NBANDS>4</NBANDS></Raster_Dimensions>
  <Raster_Encoding><DATA_TYPE>INTEGER</DATA_TYPE><NBITS>16</NBITS><SIGN>UNSIGNED</SIGN></Raster_Encoding>
  <Raster_Display><Band_Display_Order><RED_CHANNEL>B2</RED_CHANNEL><GREEN_CHANNEL>B1</GREEN_CHANNEL>
  <BLUE_CHANNEL>B0</BLUE_CHANNEL></Band_Display_Order></Raster_Display>
 </Raster_Data>
</Dimap_Document>"""
_VOLUME = """<?xml version="1.0" encoding="UTF-8"?>
<Dimap_Document>
 <Metadata_Identification><METADATA_FORMAT version="2.15">DIMAP</METADATA_FORMAT></Metadata_Identification>
 <Dataset_Content><Dataset_Components><Component><COMPONENT_TYPE>DIMAP</COMPONENT_TYPE>
  <COMPONENT_PATH href="IMG_MS/DIM_TEST_MS.XML"/></Component></Dataset_Components></Dataset_Content>
</Dimap_Document>"""
_SAFE = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
 <n1:General_Info>
  <Product_Info>
   <PRODUCT_START_TIME>2020-05-18T13:23:31.024Z</PRODUCT_START_TIME><PRODUCT_URI>{name}.SAFE</PRODUCT_URI>
   <PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>
   <Query_Options><PRODUCT_FORMAT>SAFE_COMPACT</PRODUCT_FORMAT></Query_Options>
   <Product_Organisation><Granule_List>
    <Granule datastripIdentifier="DS" granuleIdentifier="GR" imageFormat="JPEG2000">{images}</Granule>
   </Granule_List></Product_Organisation>
  </Product_Info>
  <Product_Image_Characteristics>
   <Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
   </Special_Values>
  </Product_Image_Characteristics>
 </n1:General_Info>
</n1:Level-2A_User_Product>"""
_TILE = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd">
 <n1:Geometric_Info><Tile_Geocoding>
  <HORIZONTAL_CS_NAME>WGS84 / UTM zone 21S</HORIZONTAL_CS_NAME><HORIZONTAL_CS_CODE>EPSG:32721</HORIZONTAL_CS_CODE>
  {sizes}
 </Tile_Geocoding></n1:Geometric_Info>
</n1:Level-2A_Tile_ID>"""


def image(path: Path, values: np.ndarray, driver: str, pixel: float, *options: str) -> Path:
    """Write an image of bands × rows × columns in any format that GDAL can only copy to (JPEG 2000)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, rows, columns = values.shape
    kind = gdal.GDT_Byte if values.dtype == np.uint8 else gdal.GDT_UInt16
    memory = gdal.GetDriverByName("MEM").Create("", columns, rows, bands, kind)
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(EPSG)
    memory.SetProjection(srs.ExportToWkt())
    memory.SetGeoTransform((ORIGIN[0], pixel, 0, ORIGIN[1], 0, -pixel))
    for number in range(bands):
        memory.GetRasterBand(number + 1).WriteArray(values[number])
    assert gdal.GetDriverByName(driver).CreateCopy(str(path), memory, options=list(options)) is not None
    return path


def land(bands: int, rows: int, columns: int, seed: int = 1) -> np.ndarray:
    """Values as of a 16-bit image of land."""
    return np.random.default_rng(seed).integers(200, 3000, (bands, rows, columns)).astype("uint16")


def dimap(folder: Path, image_name: str = "IMG_TEST_MS_R1C1.JP2", driver: str = "JP2OpenJPEG") -> Path:
    """A DIMAP product: a volume, one dataset in a folder of its own, its image, RPC and preview. Gives the dataset."""
    own = folder / "IMG_MS"
    options = ("REVERSIBLE=YES", "QUALITY=100") if driver == "JP2OpenJPEG" else ()
    image(own / Path(image_name).name, land(4, DIMAP_ROWS, DIMAP_COLUMNS), driver, 2.0, *options)
    for aside in own.glob("*.aux.xml"):
        aside.unlink()
    kind = "jp2" if driver == "JP2OpenJPEG" else "tiff"
    (own / "DIM_TEST_MS.XML").write_text(_DIMAP.format(image=image_name, kind=kind, epsg=EPSG))
    (own / "RPC_TEST_MS.XML").write_text("<Dimap_Document><Rational_Function_Model/></Dimap_Document>")
    image(own / "PREVIEW_TEST_MS.JPG", np.full((3, 10, 10), 90, "uint8"), "JPEG", 10.0)
    (folder / "VOL_TEST.XML").write_text(_VOLUME)
    return own / "DIM_TEST_MS.XML"


def safe(folder: Path, name: str = "S2A_MSIL2A_20200518T132331_N0214_R038_T21JYM_20200518T153213") -> Path:
    """A Sentinel-2 Level-2A SAFE tree of one granule with all bands of 10 m, three of 20 m, one of 60 m and TCI."""
    root = folder / f"{name}.SAFE"
    granule = root / "GRANULE" / "L2A_T21JYM_A025616_20200518T132331"
    named = []
    for metres, bands in ((10, ("B02", "B03", "B04", "B08")), (20, ("B05", "B11", "SCL")), (60, ("B01",))):
        side = SCENE_METRES // metres
        for number, band in enumerate(bands):
            values = land(1, side, side, number)
            if band == "SCL":
                values = (np.arange(side * side).reshape(1, side, side) % 12).astype("uint8")
            named.append(_safe_image(root, granule, band, metres, values))
    side = SCENE_METRES // 10
    colours = np.stack([np.full((side, side), value, "uint8") for value in (200, 100, 50)])
    named.append(_safe_image(root, granule, "TCI", 10, colours))
    sizes = "".join(
        f'<Size resolution="{m}"><NROWS>{SCENE_METRES // m}</NROWS><NCOLS>{SCENE_METRES // m}</NCOLS></Size>'
        f'<Geoposition resolution="{m}"><ULX>740000</ULX><ULY>7200000</ULY><XDIM>{m}</XDIM><YDIM>-{m}</YDIM>'
        "</Geoposition>"
        for m in (10, 20, 60)
    )
    (granule / "MTD_TL.xml").write_text(_TILE.format(sizes=sizes))
    images = "".join(f"<IMAGE_FILE>{path}</IMAGE_FILE>" for path in named)
    (root / "MTD_MSIL2A.xml").write_text(_SAFE.format(name=name, images=images))
    (root / "manifest.safe").write_text('<?xml version="1.0"?><xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"/>')
    return root / "MTD_MSIL2A.xml"


def _safe_image(root: Path, granule: Path, band: str, metres: int, values: np.ndarray) -> str:
    path = granule / "IMG_DATA" / f"R{metres}m" / f"T21JYM_20200518T132331_{band}_{metres}m.jp2"
    image(path, values, "JP2OpenJPEG", float(metres), "REVERSIBLE=YES", "QUALITY=100")
    for aside in path.parent.glob("*.aux.xml"):
        aside.unlink()
    return path.relative_to(root).with_suffix("").as_posix()
